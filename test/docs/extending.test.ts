import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeFolders, temporaryFolder } from '../support/folders.ts';

const ROOT = join(__dirname, '../..');
const text = readFileSync(join(ROOT, 'docs/extending.md'), 'utf8');
afterAll(removeFolders);

test('docs/extending.md names files that are there', () => {
  const named = text.matchAll(/`((?:contract|lambdas|builder-images|lib|local|test|docs)\/[\w./-]+)`/g);
  const added = [...text.matchAll(/^A new file, `(.*)`:$/gm)].map(([, file]) => file);
  const files = [...named].map(([, file = '']) => file).filter((file) => !added.includes(file));
  expect(files.length).toBeGreaterThan(30);
  expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

/** What a section asks for: new files, lines before a line of a file, words instead of others. Nothing else is done. */
function stepsOf(title: string) {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
  const steps = section.matchAll(
    /^(A new file, )?`([^`]+)`(?:, (before|instead of) `([^`]+)`)?:\n\n```\w+\n([\s\S]*?)^```$/gm,
  );
  return [...steps].map(([, created, file = '', how, place = '', code = '']) => ({ created, file, how, place, code }));
}

/** A copy of what detection and the Dockerfiles are made from, with the steps of a section taken in it. */
function copyWith(title: string): string {
  const copy = temporaryFolder();
  for (const path of [
    'contract',
    'lambdas/clone-worker',
    'lambdas/shared',
    'lambdas/domain',
    'builder-images/generate.ts',
    'builder-images/templates',
    'builder-images/shared',
    'builder-images/builder-image-frontend/dockerfiles',
    'builder-images/build-image-backend/dockerbackend',
    'builder-images/build-image-backend/isolated',
    'builder-images/build-image-backend/utils',
    'test/support/memoryFs.ts',
    'package.json',
    'tsconfig.json',
  ])
    cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const { created, file, how, place, code } of stepsOf(title)) {
    const path = join(copy, file);
    if (created) {
      expect([file, existsSync(path)]).toEqual([file, false]);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, code);
      continue;
    }
    const old = readFileSync(path, 'utf8');
    const at = how === 'before' ? `\n${old}`.indexOf(`\n${place}`) : old.indexOf(place);
    expect([file, place, at >= 0]).toEqual([file, place, true]);
    const rest = old.slice(how === 'before' ? at : at + place.length);
    writeFileSync(path, `${old.slice(0, at)}${how === 'before' ? code : code.trimEnd()}${rest}`);
  }
  return copy;
}

const runIn = (copy: string, ...args: string[]) =>
  execFileSync(process.execPath, ['--import', 'tsx', ...args], { cwd: copy, encoding: 'utf8' });

/** The plan of a tree as the copy's own detector makes it, or the code of its refusal. */
function planIn(copy: string, tree: Readonly<Record<string, string>>) {
  writeFileSync(
    join(copy, 'plan.mts'),
    `import { detectProjectType } from './lambdas/clone-worker/services/detector/detectProjectType.ts';
import { PlanSchema } from './contract/plan.ts';
import { memoryFs } from './test/support/memoryFs.ts';
const plan = await detectProjectType(memoryFs(JSON.parse(process.argv[2]!)), { today: '2026-11-28', maxFileBytes: 1_048_576 })
  .then((found) => PlanSchema.parse({ commit: 'x', ...found }), (error) => ({ error: error.code }));
console.log(JSON.stringify(plan));
`,
  );
  return JSON.parse(runIn(copy, 'plan.mts', JSON.stringify(tree)));
}

/** What the compiler says of the copy. */
function typesIn(copy: string): string {
  const options = {
    ...JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')),
    include: ['contract', 'lambdas', 'builder-images'],
  };
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(options));
  const { stdout } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit'], {
    cwd: copy,
    encoding: 'utf8',
  });
  return stdout;
}

test('a framework is the file and the registry’s line that the document shows', () => {
  const site = {
    'package.json': JSON.stringify({ scripts: { build: 'zudoku build' }, dependencies: { zudoku: '0.76.0' } }),
    'zudoku.config.ts': "export default { basePath: '/docs' };",
  };
  const server = {
    ...site,
    'package.json': site['package.json'].replace('zudoku build', 'zudoku build --experimental-ssr'),
  };
  const before = planIn(copyWith('none'), site);
  expect(before.frontend?.framework ?? null).toBeNull();
  const copy = copyWith('A framework');
  expect(planIn(copy, site).frontend).toMatchObject({
    framework: 'zudoku',
    buildCommand: 'npm run build',
    outputDirectory: 'dist/docs',
  });
  expect(planIn(copy, server).backend).toMatchObject({
    framework: 'zudoku',
    startCommand: 'node dist/docs/server/entry.js',
  });
  expect(stepsOf('A framework').map(({ file }) => file.split('/').at(-1))).toEqual([
    'zudoku.ts',
    'index.ts',
    'index.ts',
  ]);
}, 60_000);

test('a Node major is one row, and the Dockerfiles that are made from it', () => {
  const site = {
    'package.json': JSON.stringify({ scripts: { build: 'vite build' }, devDependencies: { vite: '^7.0.0' } }),
    'index.html': '<title>x</title>',
    '.nvmrc': 'lts/lithium',
  };
  expect(planIn(copyWith('none'), site).frontend?.nodeVersion).not.toBe(26);
  const copy = copyWith('A Node major');
  expect(planIn(copy, site).frontend).toMatchObject({ nodeVersion: 26 });
  const dockerfiles = [
    'builder-image-frontend/dockerfiles/Dockerfile.26x.dev',
    'build-image-backend/dockerbackend/Dockerfile_node26/Dockerfile',
  ];
  runIn(copy, 'builder-images/generate.ts');
  for (const file of dockerfiles) expect(readFileSync(join(copy, 'builder-images', file), 'utf8')).toContain('node:26');
  const major =
    "import { builderFor } from './contract/builders.ts'; console.log(builderFor('frontend', 26).dockerfile);";
  writeFileSync(join(copy, 'builder.mts'), major);
  expect(runIn(copy, 'builder.mts').trim()).toBe(dockerfiles[0]);
  expect(stepsOf('A Node major')).toHaveLength(1);
}, 60_000);

test('a language is the row, its file, and its file and template in the builder', () => {
  const service = {
    Gemfile: "source 'https://rubygems.org'\ngem 'rackup'\n",
    'config.ru': "run ->(env) { [200, {}, ['hello']] }\n",
  };
  expect(planIn(copyWith('none'), service)).toEqual({ error: 'NOTHING_TO_DEPLOY' });
  const copy = copyWith('A language');
  expect(planIn(copy, service).backend).toMatchObject({
    language: 'ruby',
    runtime: { name: 'ruby', version: '3.4' },
    installCommand: 'bundle install',
    startCommand: 'bundle exec rackup --host 0.0.0.0 --port $PORT',
  });
  // It is none any more that there is no builder for.
  expect(planIn(copy, { 'app.rb': 'puts 1\n' })).toEqual({ error: 'NOTHING_TO_DEPLOY' });
  writeFileSync(
    join(copy, 'steps.mts'),
    "import { builderLanguage } from './builder-images/build-image-backend/utils/languages/index.ts';\n" +
      "console.log(builderLanguage('ruby')?.stepsOf('bundle install', '').install);\n",
  );
  expect(runIn(copy, 'steps.mts')).toMatch(/BUNDLE_PATH=\/opt\/veren\/tools\/gems[\s\S]*\nbundle install\n$/);
  // What the compiler asks of a language is all that it needs.
  expect(typesIn(copy)).toBe('');
}, 120_000);
