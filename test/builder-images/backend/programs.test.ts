import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { foreignOnTheWay, Programs } from '../../../builder-images/build-image-backend/utils/programs.ts';

const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

describeAsRoot('programs that run as root when the steps are over', () => {
  let folder: string;
  let program: string;
  beforeEach(() => {
    // Not in /tmp, where everybody may write.
    folder = mkdtempSync('/opt/veren-programs-');
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'bin'));
    program = join(folder, 'bin/crane');
    writeFileSync(program, 'as it was');
    chmodSync(program, 0o755);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const published = () => Programs.remember([program], '/usr/bin:/bin');
  const refused = /was changed during the build, so nothing is published/;

  test('the same bytes, root’s all the way: taken', async () => {
    await expect((await published()).check()).resolves.toBeUndefined();
  });

  test.each<[string, () => void]>([
    ['other bytes', () => writeFileSync(program, 'as it is')],
    ['no file', () => rmSync(program)],
    ['the same bytes under another owner', () => chownSync(program, 1_000, 1_000)],
    ['the same bytes that everybody may change', () => chmodSync(program, 0o777)],
    ['the same bytes in a folder of another owner', () => chownSync(join(folder, 'bin'), 1_000, 1_000)],
    [
      'a link to the same bytes elsewhere',
      () => {
        mkdirSync(join(folder, 'theirs'));
        writeFileSync(join(folder, 'theirs/crane'), 'as it was');
        chownSync(join(folder, 'theirs'), 1_000, 1_000);
        rmSync(program);
        symlinkSync('../theirs/crane', program);
      },
    ],
    [
      'a link in place of a folder',
      () => {
        mkdirSync(join(folder, 'theirs'));
        writeFileSync(join(folder, 'theirs/crane'), 'as it was');
        chownSync(join(folder, 'theirs'), 1_000, 1_000);
        rmSync(join(folder, 'bin'), { recursive: true });
        symlinkSync('theirs', join(folder, 'bin'));
      },
    ],
  ])('%s: refused', async (_, change) => {
    const programs = await published();
    change();
    await expect(programs.check()).rejects.toThrow(refused);
  });

  test('a folder of PATH in which somebody else may write: refused', async () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    const programs = await Programs.remember([program], `/usr/bin:${open}`);
    await expect(programs.check()).resolves.toBeUndefined();
    chmodSync(open, 0o777);
    await expect(programs.check()).rejects.toThrow(refused);
  });

  test('links that lead in circles are nobody’s to trust', async () => {
    symlinkSync('b', join(folder, 'a'));
    symlinkSync('a', join(folder, 'b'));
    expect(await foreignOnTheWay(join(folder, 'a'))).not.toBeNull();
  });
});
