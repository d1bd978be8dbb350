import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useWorld } from './bundle.ts';
import { commitAll, repository } from './harness.ts';

/** A cache is unpacked beside the fetch, by the same user: whatever ends first, the other goes on. */
const world = useWorld();
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const modes: [string, Record<string, string>][] = [['shared', {}]];
if (isRoot) modes.push(['own', { VEREN_BUILD_UID: '20007', VEREN_BUILD_GID: '20007' }]);

const NPM = `#!/bin/sh
case "$*" in *pnpm@*) mkdir -p "$3/node_modules/.bin"; exit 0;; esac
echo "npm was run"; mkdir -p node_modules/dep; head -c 300000000 /dev/zero > node_modules/dep/large; echo good > node_modules/dep/index
`;

test.each(modes)(
  'a large cache outlives the fetch beside it; user of the build: %s',
  async (mode, user) => {
    const bin = join(world().dir, `bin-${mode}`);
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'npm'), NPM);
    chmodSync(join(bin, 'npm'), 0o755);
    const folder = join(world().dir, 'repos', mode);
    const first = repository(folder, {
      'package.json': '{"name":"x","version":"1.0.0"}',
      '.gitignore': 'node_modules\nout\n',
      'package-lock.json': '1',
      // A checkout that lasts longer than it takes to ask for the cache, and less long than to unpack it.
      ...Object.fromEntries(Array.from({ length: 4_000 }, (_, i) => [`pages/${i % 50}/${i}.md`, `page ${i}`])),
    });
    const build = (commit: string, env: Record<string, string>) =>
      world().build(
        { projectId: `large-${mode}`, url: first.url, commit },
        {
          PATH: `${bin}:${process.env.PATH}`,
          INSTALLCOMMAND: 'npm ci',
          BUILDCOMMAND: 'mkdir -p out; cp node_modules/dep/index out/index.html',
          OUTPUT_DIR: 'out',
          ...user,
          ...env,
        },
      );
    const made = await build(first.commit, {});
    expect([made.code, made.output]).toEqual([0, expect.any(String)]);
    const again = await build(commitAll(folder, { 'readme.md': 'x' }), {});
    expect([again.code, again.log]).toEqual([0, expect.stringContaining('Restored what "npm ci" made')]);
  },
  120_000,
);
