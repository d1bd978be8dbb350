import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { removeFolders, temporaryFolder } from '../support/folders.ts';

const ROOT = resolve(__dirname, '../..');
afterAll(removeFolders);

test('every script that starts the platform runs TypeScript in the way that is safe for root', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const name of ['start', 'demo', 'emulator'])
    expect(scripts[name]).toMatch(/^node --import \.\/bin\/tsx\.mjs bin\//);
});

(process.getuid?.() === 0 ? test : test.skip)(
  'root runs no code out of a folder that others could have made',
  () => {
    const tmp = temporaryFolder();
    mkdirSync(join(tmp, 'tsx-0'));
    const run = () =>
      execFileSync(process.execPath, ['--import', './bin/tsx.mjs', 'bin/local.ts', '--help'], {
        cwd: ROOT,
        encoding: 'utf8',
        env: { PATH: process.env.PATH, TMPDIR: tmp },
      });
    run();
    expect(readdirSync(join(tmp, 'tsx-0'))).toEqual([]);
  },
  60_000,
);
