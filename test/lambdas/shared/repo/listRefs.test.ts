import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LAPTOP_POLICY } from '../../../../lambdas/shared/repo/gitPolicy.ts';
import { refLister } from '../../../../lambdas/shared/repo/listRefs.ts';
import { messageReader } from '../../../../lambdas/shared/repo/readMessage.ts';
import { git, startGitServer } from '../../../support/gitServer.ts';
import { temporaryFolder } from '../../../support/veren.ts';

const TOKEN = 'tok-right';
const MESSAGE = 'a title [skip ci]\n\na longer text';

test('all branches and tags, with their commits, and the message of one; from a folder and from a private host', async () => {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'ada', 'shop.git');
  mkdirSync(path, { recursive: true });
  git(path, ['init', '-q', '-b', 'main']);
  writeFileSync(join(path, 'a'), '1');
  git(path, ['add', '.']);
  git(path, ['commit', '-q', '-m', MESSAGE]);
  const commit = git(path, ['rev-parse', 'HEAD']);
  git(path, ['tag', 'light']);
  git(path, ['tag', '-a', '-m', 'annotated', 'v1']);
  // More than git's other answers may have.
  const updates = Array.from({ length: 2_000 }, (_, i) => `${commit} refs/heads/topic/number-${i}`);
  writeFileSync(
    join(path, '.git', 'packed-refs'),
    `# pack-refs with: peeled fully-peeled sorted \n${updates.toSorted((a, b) => (a < b ? -1 : 1)).join('\n')}\n`,
  );
  const server = await startGitServer({ repos: folder.path, token: TOKEN });
  try {
    for (const of of [
      { gitUrl: pathToFileURL(path).href, gitToken: undefined },
      { gitUrl: `${server.url}/ada/shop.git`, gitToken: TOKEN },
    ]) {
      const { refs, defaultBranch } = await refLister(LAPTOP_POLICY)(of);
      expect(defaultBranch).toBe('main');
      expect(refs).toHaveLength(2_003);
      expect(new Set(refs.map((ref) => ref.commit))).toEqual(new Set([commit]));
      expect(refs.filter(({ kind }) => kind === 'tag').map(({ name }) => name)).toEqual(['light', 'v1']);
      expect(refs.map(({ name }) => name)).toContain('topic/number-1999');
      expect((await messageReader(LAPTOP_POLICY)({ ...of, commit })).trim()).toBe(MESSAGE);
    }
    await expect(refLister(LAPTOP_POLICY)({ gitUrl: `${server.url}/ada/shop.git` })).rejects.toMatchObject({
      code: 'REPO_NOT_FOUND',
    });
  } finally {
    await server.close();
    await folder.remove();
  }
}, 60_000);
