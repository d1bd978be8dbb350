import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { analyzeRepository } from '../lambdas/clone-worker/analyzeRepository.ts';
import { LAPTOP_POLICY } from '../lambdas/shared/repo/gitPolicy.ts';
import { AUTHOR_ENV, startGitServer } from '../test/support/gitServer.ts';
import { median, spread, timed } from './_stats.ts';

const run_ = promisify(execFile);
const SOURCES = 12_000;
const BLOBS = 4_000;
const BLOB_BYTES = 128 * 1024;
const ROUNDS = 15;
const CLONES = 3;
const ENV = { PATH: process.env.PATH, ...AUTHOR_ENV, GIT_TERMINAL_PROMPT: '0' };

/**
 * Time and bytes of an analysis against `git clone --depth 1` and a bare `git ls-remote`, on a repository of 16,000
 * files and 512 MB served over HTTP by git's own backend on loopback. The sides alternate in every round.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'veren-bench-'));
  await makeRepository(join(folder, 'repos', 'big'));
  const server = await startGitServer({ repos: join(folder, 'repos') });
  try {
    const gitUrl = `${server.url}/big`;
    const lsRemote = () => run_('git', ['ls-remote', '--', gitUrl], { env: ENV });
    const analyze = async () => {
      const plan = await analyzeRepository({ gitUrl, policy: LAPTOP_POLICY });
      if (plan.frontend?.path !== 'apps/web' || plan.backend?.path !== 'apps/api')
        throw new Error(`the wrong plan: ${JSON.stringify(plan)}`);
    };
    let clones = 0;
    const clone = () =>
      run_('git', ['clone', '--quiet', '--depth', '1', '--', gitUrl, join(folder, `clone-${clones++}`)], { env: ENV });
    const sides = { lsRemote, analyze, clone };
    const seconds: Record<keyof typeof sides, number[]> = { lsRemote: [], analyze: [], clone: [] };
    const bytes: Record<keyof typeof sides, number[]> = { lsRemote: [], analyze: [], clone: [] };

    for (let warmUp = 0; warmUp < 5; warmUp++) {
      await lsRemote();
      await analyze();
    }
    for (let round = 0; round < ROUNDS; round++) {
      const names = (Object.keys(sides) as (keyof typeof sides)[]).filter((n) => n !== 'clone' || round < CLONES);
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const before = server.bytesSent();
        seconds[name].push(await timed(sides[name]));
        bytes[name].push(server.bytesSent() - before);
      }
      if (round < CLONES) await rm(join(folder, `clone-${round}`), { recursive: true, force: true });
    }

    const ratio = (values: Record<keyof typeof sides, number[]>, a: keyof typeof sides, b: keyof typeof sides) =>
      median(values[a]) / median(values[b]);
    console.log(`git ls-remote        ${spread(seconds.lsRemote)}  ${median(bytes.lsRemote)} bytes received`);
    console.log(`analyze              ${spread(seconds.analyze)}  ${median(bytes.analyze)} bytes received`);
    console.log(`git clone --depth 1  ${spread(seconds.clone)}  ${median(bytes.clone)} bytes received`);
    console.log(`time, clone / analyze      ${ratio(seconds, 'clone', 'analyze').toFixed(1)}  (goal: at least 50)`);
    console.log(`bytes, clone / analyze     ${ratio(bytes, 'clone', 'analyze').toFixed(0)}  (goal: at least 200)`);
    console.log(`time, analyze / ls-remote  ${ratio(seconds, 'analyze', 'lsRemote').toFixed(2)}  (goal: at most 5)`);
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A monorepo with sources, and with pictures that nobody needs to see in order to know what is in it. */
async function makeRepository(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await run_('git', ['init', '--quiet', '--bare', '-b', 'main'], { cwd: path, env: ENV });
  const importer = spawn('git', ['-c', 'core.compression=1', 'fast-import', '--quiet'], {
    cwd: path,
    env: ENV,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const write = async (data: string | Buffer) => {
    if (!importer.stdin.write(data)) await once(importer.stdin, 'drain');
  };
  await write('commit refs/heads/main\ncommitter Bench <bench@example.invalid> 1767225600 +0000\ndata 5\nfirst\n');
  for (const [name, content] of files()) {
    await write(`M 100644 inline ${name}\ndata ${content.length}\n`);
    await write(content);
    await write('\n');
  }
  importer.stdin.end('done\n');
  const [code] = await once(importer, 'close');
  if (code !== 0) throw new Error(`git fast-import ended with exit code ${code}`);
}

function* files(): Generator<[name: string, content: Buffer]> {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value, null, 2));
  const lock = Array.from(
    { length: 1_500 },
    (_, i) => `  package-${i}@1.${i}.0:\n    resolution: {integrity: sha512-${randomBytes(64).toString('base64')}}\n`,
  );
  yield ['package.json', json({ private: true, packageManager: 'pnpm@9.15.0', engines: { node: '>=22' } })];
  yield ['pnpm-workspace.yaml', Buffer.from('packages:\n  - apps/*\n  - packages/*\n')];
  yield ['pnpm-lock.yaml', Buffer.from(`lockfileVersion: '9.0'\n\npackages:\n${lock.join('')}`)];
  yield [
    'apps/web/package.json',
    json({ name: 'web', scripts: { build: 'vite build' }, devDependencies: { vite: '^7' } }),
  ];
  yield ['apps/web/index.html', Buffer.from('<div id="app"></div>')];
  yield ['apps/web/vite.config.ts', Buffer.from('export default {};\n')];
  yield [
    'apps/api/package.json',
    json({ name: 'api', scripts: { start: 'node index.js' }, dependencies: { fastify: '^5' } }),
  ];
  yield ['apps/api/index.js', Buffer.from('')];
  for (let i = 0; i < 40; i++)
    yield [`packages/lib-${i}/package.json`, json({ name: `lib-${i}`, exports: './index.js' })];
  for (let i = 0; i < SOURCES; i++)
    yield [
      `packages/lib-${i % 40}/src/part-${(i >> 3) % 20}/file-${i}.ts`,
      Buffer.from(`export const value${i} = ${i};\n`.repeat(20)),
    ];
  for (let i = 0; i < BLOBS; i++) yield [`apps/web/public/pictures/${i % 50}/${i}.webp`, randomBytes(BLOB_BYTES)];
}
