import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BUILDERS, type Builder } from '../contract/builders.ts';
import { FunctionEnvSchemas, type FunctionName } from '../contract/function-env.ts';
import { ROOT } from '../lib/constructs/bundle.ts';
import { deploymentId, repository, World } from '../test/builder-images/harness.ts';
import { startGitServer } from '../test/support/gitServer.ts';
import { bundleTree } from './_coldStart.ts';
import { DockerEngine, engineMissing } from './_engine.ts';
import { BuiltImages, type ImageSize, sizeOfSaved } from './_imageSizes.ts';
import { median, spread } from './_stats.ts';

const GOAL = { bytes: 450e6, compressed: 160e6, firstLine: 1.5 } as const;
const RUNS = 5;
const LINE_MS = 60_000;
const { FRONTEND_IMAGES_HOME: HOME, VEREN_BENCH_BASE_IMAGES: BASE } = process.env;
/** What a builder's image brings itself, or what is right for a process on this machine only. */
const OF_IMAGE = /^(?:PATH|HOME|VEREN_.*)$/;

/**
 * The builders' images as `.ci/frontend-images.sh` and `.ci/backend-image.sh` have built them below FRONTEND_IMAGES_HOME: size,
 * layer by layer, and in a Docker engine of its own the time from a container's start to the first line of a build's log.
 * Baselines: for sizes the same images below VEREN_BENCH_BASE_IMAGES (another checkout's), and always the stand-in of the
 * base; for times Node alone in the same image, which prints one line. Then the same for the functions: from the container's
 * start until the module is loaded and could take its first event, against an empty module.
 */
export async function run(): Promise<void> {
  if (engineMissing !== null) return console.log(`not measured: ${engineMissing}`);
  if (!HOME)
    return console.log('not measured: FRONTEND_IMAGES_HOME is not set; .ci/frontend-images.sh <folder> prepares it');
  const work = mkdtempSync(join(tmpdir(), 'veren-images-'));
  const engine = await DockerEngine.start(work).catch((error: Error) => console.log(`not measured: ${error.message}`));
  try {
    if (engine) await measureAll(engine, work, HOME);
  } finally {
    await engine?.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

async function measureAll(engine: DockerEngine, work: string, home: string): Promise<void> {
  const images = new BuiltImages(home);
  const before = BASE ? new BuiltImages(BASE) : undefined;
  const jobs = await startJobs();
  console.log(
    'Sizes in MB (10^6 bytes), as archives of layers and as gzip of them. The base is a stand-in made of Debian',
  );
  console.log('packages; what it stands in for has other packages, so only the part that is ours is as on AWS.\n');
  try {
    // The last builder has the image of another one.
    for (const builder of BUILDERS.filter(({ nodeMajors }) => nodeMajors.length > 0)) {
      const image = imageOf(builder);
      if (!images.has(image)) {
        console.log(`${image}: not measured, it was not built below ${home}`);
        continue;
      }
      const file = join(work, 'image.tar');
      images.save(image, file);
      const size = await sizeOfSaved(file, work);
      printSize(image, builder, size);
      if (before?.has(image)) {
        const other = join(work, 'before.tar');
        before.save(image, other);
        printRatio('the same image of VEREN_BENCH_BASE_IMAGES', size, await sizeOfSaved(other, work));
        rmSync(other);
      }
      await engine.docker('load', '--quiet', '--input', file);
      rmSync(file);
      await measureBuilder(engine, jobs, builder);
      await engine.docker('image', 'rm', image);
    }
    await measureFunctions(engine, work, home);
  } finally {
    await jobs.close();
  }
}

/** Names of `.ci/frontend-images.sh` and `.ci/backend-image.sh`. */
const imageOf = ({ target, nodeMajors, family }: Builder) =>
  `localhost/${target === 'frontend' ? `builder-task-${nodeMajors[0]}` : family}:latest`;

const MB = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(7);
const sum = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0);
const ours = ({ layers }: ImageSize) => ({
  bytes: sum(layers.map((layer) => layer.bytes)),
  compressed: sum(layers.map((layer) => layer.compressed)),
});
const total = (size: ImageSize) => ({
  bytes: size.base.bytes + ours(size).bytes,
  compressed: size.base.compressed + ours(size).compressed,
});

function printSize(image: string, builder: Builder, size: ImageSize): void {
  const row = (name: string, { bytes, compressed }: { bytes: number; compressed: number }, remark = '') =>
    console.log(`  ${name.slice(0, 70).padEnd(70)} ${MB(bytes)} ${MB(compressed)}${remark}`);
  const all = total(size);
  const misses = [
    ...(all.bytes > GOAL.bytes ? [`${GOAL.bytes / 1e6} MB`] : []),
    ...(all.compressed > GOAL.compressed ? [`${GOAL.compressed / 1e6} MB compressed`] : []),
  ];
  console.log(image);
  row(
    'image',
    all,
    builder.target === 'frontend' && misses.length > 0 ? `  misses its goal: ${misses.join(', ')}` : '',
  );
  row('the stand-in of its base', size.base);
  row('ours', ours(size));
  for (const layer of size.layers) if (layer.bytes > 1e5) row(`  ${layer.made}`, layer);
  printRatio('the stand-in of its base', size, { base: size.base, layers: [] });
}

function printRatio(baseline: string, size: ImageSize, other: ImageSize): void {
  const [a, b] = [total(size), total(other)];
  const ratio = `${(a.bytes / b.bytes).toFixed(2)}, compressed ${(a.compressed / b.compressed).toFixed(2)}`;
  console.log(`  image / ${baseline}: ${ratio} (${MB(b.bytes).trim()} and ${MB(b.compressed).trim()} MB)`);
}

type Jobs = Awaited<ReturnType<typeof startJobs>>;

/** A git host, S3 and a broker on loopback, with one repository to build. */
async function startJobs() {
  const world = await new World('').start();
  const host = await startGitServer({ repos: world.dir });
  const { commit } = repository(join(world.dir, 'site'), { 'index.html': 'x', 'package.json': '{}' });
  return {
    environment: (id: string, builder: Builder) => {
      const job = { projectId: 'site', deploymentId: id, url: `${host.url}/site`, commit };
      const service = { BACKEND_PATH: '.', STARTCOMMAND: 'npm start', ECR_URI: '127.0.0.1:1/site' };
      const env = { ...world.environment(job, builder.target), ...(builder.target === 'backend' && service) };
      return Object.entries(env).filter(([name]) => !OF_IMAGE.test(name));
    },
    /** When the broker has the first line of a build's log. */
    firstLine: async (id: string): Promise<number> => {
      const until = Date.now() + LINE_MS;
      while (!world.lines.some((line) => line.deploymentId === id)) {
        if (Date.now() > until) throw new Error(`no line within ${LINE_MS} ms`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return Date.now();
    },
    close: async () => {
      await host.close();
      await world.close();
    },
  };
}

async function measureBuilder(engine: DockerEngine, jobs: Jobs, builder: Builder): Promise<void> {
  const image = imageOf(builder);
  const node = builder.target === 'frontend' ? '/veren/node/bin/node' : '/kaniko/node/bin/node';
  const alone: number[] = [];
  const lines: number[] = [];
  for (let i = 0; i <= RUNS; i++) {
    const aloneMs = await engine.firstOutput(['--entrypoint', node, image, '-e', 'console.log("line")']);
    const id = deploymentId();
    const env = jobs.environment(id, builder).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const container = await engine.run(['--network', 'host', ...env, image]);
    const at = await jobs.firstLine(id).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${await engine.docker('logs', container.name)}`);
    });
    const lineMs = await container.msUntil(at);
    await engine.remove(container.name);
    // The first reads the image from the disk.
    if (i === 0) continue;
    alone.push(aloneMs / 1_000);
    lines.push(lineMs / 1_000);
  }
  const misses = median(lines) > GOAL.firstLine ? `, misses its goal: ${GOAL.firstLine} s` : '';
  console.log(`  start to the first line of the log: ${spread(lines)}${misses}`);
  console.log(`  Node alone in that image: ${spread(alone)}; ratio ${(median(lines) / median(alone)).toFixed(2)}\n`);
}

/** Loads a function's module as Lambda's runtime does, and says so. */
const LOAD = `
  globalThis.awslambda = { streamifyResponse: (f) => f, HttpResponseStream: { from: (s) => s } };
  const said = console.log; console.log = console.error = console.warn = () => {};
  const { handler } = await import('/var/task/index.mjs');
  if (typeof handler !== 'function') throw new Error('no handler');
  said('ready'); process.exit(0);`;

async function measureFunctions(engine: DockerEngine, work: string, home: string): Promise<void> {
  const image = 'bench/lambda';
  const archive = join(work, 'lambda.tar');
  const parts = ['-C', join(home, 'bookworm'), '.', '-C', join(home, 'node-24'), 'usr/local/bin/node'];
  execFileSync('tar', ['--create', '--numeric-owner', '--file', archive, ...parts]);
  await engine.docker('import', archive, image);
  const names = Object.keys(FunctionEnvSchemas) as FunctionName[];
  const tree = await bundleTree(ROOT, names, work);
  const empty = join(work, 'empty');
  mkdirSync(empty);
  writeFileSync(join(empty, 'index.mjs'), 'export const handler = async () => null;');

  console.log('Functions in a container with Node 24 on the stand-in of the base: start until the module is loaded');
  const load = async (folder: string, variables: Readonly<Record<string, string>>) => {
    const env = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const node = ['/usr/local/bin/node', '--input-type=module', '-e', LOAD];
    return (
      (await engine.firstOutput(['--network', 'none', '-v', `${folder}:/var/task:ro`, ...env, image, ...node])) / 1_000
    );
  };
  await load(empty, {});
  for (const name of names) {
    const times: { own: number; baseline: number }[] = [];
    for (let i = 0; i < RUNS; i++)
      times.push({
        own: await load(dirname(tree.entryOf(name)), tree.environmentOf(name)),
        baseline: await load(empty, {}),
      });
    const own = times.map((time) => time.own);
    const ratio = median(own) / median(times.map((time) => time.baseline));
    console.log(`  ${name.padEnd(18)} ${spread(own)}; ratio to an empty module ${ratio.toFixed(2)}`);
  }
}
