import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitAll, type Files, git, writeFiles } from '../test/builder-images/harness.ts';
import { KanikoWorld, missingKaniko } from '../test/engines/kanikoWorld.ts';

const PACKAGE = {
  name: 'bench-nest',
  private: true,
  scripts: { build: 'nest build', start: 'nest start', 'start:prod': 'node dist/main' },
  dependencies: {
    '@nestjs/common': '^10.4.15',
    '@nestjs/core': '^10.4.15',
    '@nestjs/platform-express': '^10.4.15',
    'reflect-metadata': '^0.2.2',
    rxjs: '^7.8.1',
  },
  devDependencies: {
    '@nestjs/cli': '^10.4.9',
    '@nestjs/schematics': '^10.2.3',
    '@nestjs/testing': '^10.4.15',
    '@types/express': '^5.0.0',
    '@types/jest': '^29.5.14',
    '@types/node': '^20.17.10',
    eslint: '^9.17.0',
    jest: '^29.7.0',
    prettier: '^3.4.2',
    'ts-jest': '^29.2.5',
    'ts-loader': '^9.5.1',
    typescript: '^5.7.2',
  },
};
/** The Nest starter as `nest new` makes it: what such a service installs, builds and leaves out in production. */
const STARTER: Files = {
  'package.json': JSON.stringify(PACKAGE),
  'nest-cli.json': JSON.stringify({ sourceRoot: 'src' }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'commonjs',
      target: 'es2022',
      outDir: 'dist',
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      skipLibCheck: true,
    },
  }),
  'src/main.ts': `import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

@Controller()
class AppController {
  @Get()
  hello() {
    return 'hello';
  }
}
@Module({ controllers: [AppController] })
class AppModule {}
NestFactory.create(AppModule).then((app) => app.listen(Number(process.env.PORT)));
`,
};
/** The same with what a service has after a year: a database, queues, a cloud's SDK, documentation, its linters. */
const GROWN: Files = {
  ...STARTER,
  'package.json': JSON.stringify({
    ...PACKAGE,
    dependencies: {
      ...PACKAGE.dependencies,
      '@aws-sdk/client-s3': '^3.700.0',
      '@aws-sdk/client-sqs': '^3.700.0',
      '@nestjs/config': '^3.3.0',
      '@nestjs/jwt': '^10.2.0',
      '@nestjs/passport': '^10.0.3',
      '@nestjs/swagger': '^7.4.2',
      '@nestjs/typeorm': '^10.0.2',
      axios: '^1.7.9',
      bcryptjs: '^2.4.3',
      bullmq: '^5.34.0',
      'class-transformer': '^0.5.1',
      'class-validator': '^0.14.1',
      'date-fns': '^4.1.0',
      lodash: '^4.17.21',
      passport: '^0.7.0',
      'passport-jwt': '^4.0.1',
      pg: '^8.13.1',
      typeorm: '^0.3.20',
      winston: '^3.17.0',
    },
    devDependencies: {
      ...PACKAGE.devDependencies,
      '@types/lodash': '^4.17.13',
      '@types/pg': '^8.11.10',
      'eslint-config-prettier': '^9.1.0',
      'eslint-plugin-prettier': '^5.2.1',
      supertest: '^7.0.0',
      'ts-node': '^10.9.2',
      'tsconfig-paths': '^4.2.0',
      'typescript-eslint': '^8.18.0',
    },
  }),
};
/** What people write who have not read much about it. */
const NAIVE = `FROM node:20-bullseye
WORKDIR /app
COPY . .
RUN NODE_EXTRA_CA_CERTS=/kaniko/veren/ca.pem npm install
RUN npm run build
CMD ["npm", "run", "start:prod"]
`;

/** Bytes of the layers and configuration of an OCI layout, as a registry would keep them. */
function layoutBytes(layout: string): number {
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const [algorithm, hash] = read('index.json').manifests[0].digest.split(':');
  const manifest = read(join('blobs', algorithm, hash));
  return [manifest.config, ...manifest.layers].reduce((sum: number, part: { size: number }) => sum + part.size, 0);
}

const MB = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** A rebuild with an unchanged lockfile against the first build; the image against the naive Dockerfile's. Real Kaniko. */
export async function run(): Promise<void> {
  const missing = missingKaniko();
  if (missing !== null) return console.log(`not measured: ${missing}`);
  const kaniko = await new KanikoWorld().start();
  try {
    const { folder, artifact } = await rebuild(kaniko, 'nest', 'Nest starter', STARTER);
    await rebuild(kaniko, 'grown', 'grown service', GROWN);

    writeFiles(folder, { Dockerfile: NAIVE, '.dockerignore': '.git\n' });
    mkdirSync(join(kaniko.dir, 'naive'));
    const naive = kaniko.container({
      argv: [
        '/kaniko/executor',
        '--force',
        '--context=dir:///kaniko/repositories/nest',
        '--dockerfile=/kaniko/repositories/nest/Dockerfile',
        '--no-push',
        '--oci-layout-path=/kaniko/naive/image',
        '--snapshot-mode=redo',
        `--registry-mirror=${kaniko.registry}`,
        `--insecure-registry=${kaniko.registry}`,
      ],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/root' },
      lower: [join(kaniko.dir, 'image'), join(kaniko.home, 'root')],
      binds: { '/kaniko/repositories': kaniko.world.dir, '/kaniko/naive': join(kaniko.dir, 'naive') },
    });
    const { code, output } = await naive.ended;
    if (code !== 0) throw new Error(output.slice(-2_000));
    const theirs = layoutBytes(join(kaniko.dir, 'naive/image'));
    const ours = artifact?.bytes ?? Number.NaN;
    const base = (tag: string) =>
      JSON.parse(kaniko.crane('manifest', '--insecure', `${kaniko.registry}/library/node:${tag}`)).layers.reduce(
        (sum: number, layer: { size: number }) => sum + layer.size,
        0,
      );
    console.log(`image: ${MB(ours)}, of which base ${MB(base('20-bullseye-slim'))}`);
    console.log(`naive: ${MB(theirs)}, of which base ${MB(base('20-bullseye'))} (a stand-in; Docker Hub's is larger)`);
    console.log(`size / naive: ${(ours / theirs).toFixed(2)} (goal: at most 0.60)`);
  } finally {
    await kaniko.close();
  }
}

/** Builds a service, then twice again with another commit of the same lockfile. */
async function rebuild(kaniko: KanikoWorld, projectId: string, name: string, files: Files) {
  const folder = join(kaniko.world.dir, projectId);
  writeFiles(folder, files);
  execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit'], {
    cwd: folder,
    stdio: 'ignore',
  });
  git(folder, 'init', '--quiet');
  const builds = [];
  for (const round of ['first', 'second', 'third']) {
    const commit = commitAll(folder, { 'README.md': round });
    const env = { BUILDCOMMAND: 'npm run build', STARTCOMMAND: 'npm run start:prod' };
    const built = await kaniko.build({ url: `file://${folder}`, commit, projectId, env });
    if (built.last?.type !== 'build.succeeded') throw new Error(`${built.output}\n${built.log}`);
    builds.push({ ms: built.ms, artifact: built.last.artifact });
    console.log(`${name}, ${round} build: ${seconds(built.ms)} (${phaseTimes(built.events)})`);
  }
  const ratio = (builds[1]!.ms + builds[2]!.ms) / 2 / builds[0]!.ms;
  console.log(`${name}, unchanged lockfile / first build: ${ratio.toFixed(2)} (goal: at most 0.40)`);
  return { folder, artifact: builds[0]!.artifact };
}

function phaseTimes(events: Awaited<ReturnType<KanikoWorld['build']>>['events']): string {
  const at = new Map<string, number>();
  const told: string[] = [];
  for (const event of events) {
    if (event.type !== 'build.phase') continue;
    const from = at.get(event.phase);
    if (event.state === 'started') at.set(event.phase, Date.parse(event.at));
    else if (from !== undefined) told.push(`${event.phase} ${seconds(Date.parse(event.at) - from)}`);
  }
  return told.join(', ');
}
