import fc from 'fast-check';
import { PlanSchema } from '../../../../../contract/plan.ts';
import { judgeBaseUrl } from '../../../../../lambdas/clone-worker/services/detector/baseUrl.ts';
import { parseCommands } from '../../../../../lambdas/clone-worker/services/detector/commandLine.ts';
import { readProgram } from '../../../../../lambdas/clone-worker/services/detector/config/readProgram.ts';
import { globMatches } from '../../../../../lambdas/clone-worker/services/detector/globMatch.ts';
import { MISE_FILES, readMiseNode } from '../../../../../lambdas/clone-worker/services/detector/miseFile.ts';
import { meaningOf } from '../../../../../lambdas/clone-worker/services/detector/nodeVersion.ts';
import { matcherOf } from '../../../../../lambdas/clone-worker/services/detector/python/version.ts';
import { parseSettings } from '../../../../../lambdas/clone-worker/services/detector/settings/readSettings.ts';
import { parseJsonc, withoutComments } from '../../../../../lambdas/clone-worker/services/detector/sourceText.ts';
import { versionIn } from '../../../../../lambdas/clone-worker/services/detector/statedVersion.ts';
import { readToml } from '../../../../../lambdas/clone-worker/services/detector/tomlText.ts';
import { readYaml } from '../../../../../lambdas/clone-worker/services/detector/yamlText.ts';
import type { MemoryEntry } from '../../../../support/memoryFs.ts';
import { boundedDetector } from './boundedDetector.ts';

/**
 * Random trees and manifests: detection answers with a valid plan or an error of the table, never with anything else,
 * within 5 s and 256 MiB. `FUZZ_RUNS` raises the number of runs.
 */
const RUNS = Number(process.env.FUZZ_RUNS ?? 1_500);
const MAX_MS = 5_000;
const MAX_MIB = 256;

const words = [
  'vite',
  'next',
  'express',
  'build',
  'start',
  'node',
  'dist',
  '*',
  '**',
  '../..',
  '.',
  '>=18',
  '18',
  '99',
  'lts/*',
  'x',
  '{',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  'é',
  ' ',
];
const text = fc.oneof(
  fc.constantFrom(...words),
  fc.string({ maxLength: 40, unit: 'grapheme' }),
  fc
    .array(fc.constantFrom(...words, '&&', '--outDir', 'vite build', 'next export -o', 'cd', '|| '), { maxLength: 8 })
    .map((w) => w.join(' ')),
);
const names = fc.constantFrom(
  'react',
  'vite',
  'next',
  'nuxt',
  'astro',
  '@sveltejs/kit',
  '@angular/cli',
  'express',
  '@nestjs/core',
  'fastify',
  'turbo',
  'nx',
  'lerna',
  'a',
  'b',
  'typescript',
  'webpack',
  'webpack-cli',
  '__proto__',
);
const table = fc.oneof(
  { weight: 6, arbitrary: fc.dictionary(fc.oneof(names, text), fc.oneof(text, fc.jsonValue()), { maxKeys: 8 }) },
  fc.jsonValue(),
);
const packageJson = fc
  .record(
    {
      name: fc.oneof(names, text),
      private: fc.boolean(),
      main: text,
      packageManager: fc.oneof(fc.constantFrom('pnpm@9.1.0', 'yarn@4', 'npm', 'bun@x', 'pnpm@'), text),
      scripts: fc.oneof(
        fc.dictionary(fc.constantFrom('build', 'start', 'generate', 'start:prod', 'serve'), text),
        table,
      ),
      dependencies: table,
      devDependencies: table,
      engines: fc.oneof(fc.record({ node: text, pnpm: text }, { requiredKeys: [] }), fc.jsonValue()),
      volta: fc.oneof(
        fc.record(
          {
            node: text,
            extends: fc.constantFrom('./package.json', '../package.json', 'a/package.json', '/etc/package.json', ''),
          },
          { requiredKeys: [] },
        ),
        fc.jsonValue(),
      ),
      workspaces: fc.oneof(fc.array(text), fc.record({ packages: fc.array(text) }), fc.jsonValue()),
      devEngines: fc.oneof(
        fc.record(
          {
            runtime: fc.record({ name: fc.constant('node'), version: text }),
            packageManager: fc.record({ name: names, version: text }),
          },
          { requiredKeys: [] },
        ),
        fc.jsonValue(),
      ),
      exports: fc.jsonValue(),
      pnpm: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value));
const code = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "output: 'export'",
        'ssr: false',
        "outDir: '../x'",
        '/*',
        '*/',
        '//',
        '`',
        '"',
        "'",
        '${',
        '\n',
        'root: "src"',
        'adapter: x()',
        '{',
        '}',
        'preset: "static"',
        '\\',
      ),
      text,
    ),
    { maxLength: 30 },
  )
  .map((p) => p.join(' '));
/** Python's and Go's settings and sources, whole and in pieces. */
const otherLanguage = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'flask',
        'fastapi[standard]',
        '-r requirements/base.txt',
        '-e ../..',
        'app = FastAPI()',
        'app = Flask(__name__)',
        'def create_app(a=1):',
        "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')",
        'STATIC_ROOT = 1',
        'from database import x',
        '[project]',
        'dependencies = ["fastapi", "uvicorn"]',
        'requires-python = ">=3.9,<4"',
        '[tool.poetry.dependencies]',
        'python = "^3.11"',
        '[packages]',
        'flask = "*"',
        '3.12',
        'module x',
        'go 1.22',
        'require github.com/gin-gonic/gin v1',
        'replace a => ../../..',
        'package main',
        'func main() { http.ListenAndServe(":8080", nil) }',
        'import "net/http"',
        'web: gunicorn app:app',
      ),
      text,
    ),
    { maxLength: 12 },
  )
  .map((lines) => lines.join('\n'));
/** Lines of the configurations of site generators, whole and broken. */
const settings = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'baseURL = "https://example.org/x"',
        'base_url = "/"',
        'publishDir = "../../x"',
        'publishDir: .',
        'destination: ./_site/../..',
        'site_dir: !ENV [A, b]',
        'plugins: [search, {a: &x [*x]}]',
        '[module]',
        '[[module.imports]]',
        'path = "a.b/c"',
        '[tools]',
        "gem 'jekyll'",
        '    jekyll (4.3.2)',
        'mkdocs==1.6',
        '[dependency-groups]',
        'docs = ["mkdocs"]',
        'hugo-version: 0.1',
        '__proto__: {}',
        '[__proto__]',
      ),
      text,
    ),
    { maxLength: 12 },
  )
  .map((lines) => lines.join('\n'));
const content: fc.Arbitrary<MemoryEntry> = fc.oneof(
  settings,
  packageJson,
  code,
  otherLanguage,
  fc.json(),
  text,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom<MemoryEntry>({ kind: 'symlink' }, { kind: 'submodule' }),
);
const place = fc.oneof(text, fc.constantFrom('.', 'frontend', 'apps/web', 'a', 'a/', './a', '../a', '/a', 'nowhere'));
const statedTarget = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record(
      {
        path: place,
        nodeVersion: fc.oneof(fc.constantFrom(18, 20, 22, 24), fc.jsonValue()),
        buildCommand: text,
        startCommand: text,
        outputDirectory: place,
        allowSecrets: fc.array(text, { maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const settingsFile: fc.Arbitrary<MemoryEntry> = fc.oneof(
  fc
    .record(
      {
        frontend: statedTarget,
        backend: statedTarget,
        git: fc.oneof(fc.dictionary(fc.constantFrom('lfs', 'tags', 'submodules'), fc.boolean()), fc.jsonValue()),
        publication: fc.oneof(fc.constantFrom('together', 'independent'), text),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
  fc
    .tuple(fc.constantFrom('frontend', 'backend', '__proto__'), place)
    .map(([target, at]) => `{${JSON.stringify(target)}:{"path":${JSON.stringify(at)}}}`),
  fc.json(),
  text,
  fc.constantFrom<MemoryEntry>({ kind: 'symlink' }, { kind: 'submodule' }),
);
const TOML_PIECES = ['[tools]\n', 'node', ' = ', '"22"', '{ version = "20" }', '[[tools]]', '"""', "'", '\n', '[', ']'];
const toml = fc
  .array(fc.oneof(fc.constantFrom(...TOML_PIECES, 'node.a.b', '1e9', '.', '{', '}', '#'), text), { maxLength: 30 })
  .map((parts) => parts.join(''));
const files = [
  'index.html',
  'pnpm-workspace.yaml',
  'pnpm-lock.yaml',
  'yarn.lock',
  'package-lock.json',
  'bun.lock',
  'turbo.json',
  'nx.json',
  'lerna.json',
  'project.json',
  'angular.json',
  '.nvmrc',
  '.node-version',
  '.tool-versions',
  'mise.toml',
  '.yarnrc.yml',
  'Procfile',
  'vite.config.ts',
  'next.config.js',
  'nuxt.config.ts',
  'astro.config.mjs',
  'svelte.config.js',
  'webpack.config.js',
  'server.js',
  'src/index.ts',
  'public/index.html',
  '.vitepress/config.mts',
  'tsconfig.json',
  'requirements.txt',
  'pyproject.toml',
  'Pipfile',
  'uv.lock',
  'manage.py',
  '.python-version',
  'runtime.txt',
  'main.py',
  'app.py',
  'app/main.py',
  'app/__init__.py',
  'shop/wsgi.py',
  'shop/settings.py',
  'requirements/base.txt',
  'go.mod',
  'go.work',
  'main.go',
  'cmd/api/main.go',
  'hugo.toml',
  'hugo.yaml',
  'config.toml',
  'config/_default/hugo.toml',
  'content/a.md',
  'themes/x',
  'netlify.toml',
  '.github/workflows/a.yml',
  '_config.yml',
  'Gemfile',
  'Gemfile.lock',
  'mkdocs.yml',
  'docs/requirements.txt',
  '.readthedocs.yaml',
  'mise/config.toml',
  '.config/mise.toml',
];
const dirs = fc.oneof(
  fc.constantFrom('', 'frontend/', 'backend/', 'apps/web/', 'apps/api/', 'packages/ui/', 'a/', 'a/a/', 'docs/'),
  fc.array(fc.constantFrom('a', 'apps', 'é', 'x y', "q'"), { maxLength: 6 }).map((p) => p.map((q) => `${q}/`).join('')),
);
const tree = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.tuple(
          dirs,
          fc.constant('package.json'),
          fc.oneof({ weight: 8, arbitrary: packageJson as fc.Arbitrary<MemoryEntry> }, content),
        ),
      },
      { weight: 5, arbitrary: fc.tuple(dirs, fc.constantFrom(...files), content) },
      { weight: 1, arbitrary: fc.tuple(dirs, fc.constant('veren.json'), settingsFile) },
      { weight: 1, arbitrary: fc.tuple(dirs, fc.constantFrom('mise.toml', '.mise/config.toml'), toml) },
    ),
    { maxLength: 25 },
  )
  .map((entries) => Object.fromEntries(entries.map(([dir, file, value]) => [dir + file, value])));
const path = fc.constantFrom('.', 'frontend', 'apps/web', 'a', 'nowhere');
const major = fc.constantFrom(18, 20, 22, 24) as fc.Arbitrary<18 | 20 | 22 | 24>;
const request = fc.record(
  {
    path,
    frontend: fc.oneof(
      fc.constant(false as const),
      fc.record(
        { path, nodeVersion: major, buildCommand: text, installCommand: text, outputDirectory: fc.constant('out') },
        { requiredKeys: [] },
      ),
    ),
    backend: fc.oneof(
      fc.constant(false as const),
      fc.record({ path, nodeVersion: major, startCommand: text }, { requiredKeys: [] }),
    ),
  },
  { requiredKeys: [] },
);

let detector: Awaited<ReturnType<typeof boundedDetector>>;
beforeAll(async () => {
  detector = await boundedDetector(MAX_MIB);
});
afterAll(() => detector.close());

async function judge(entries: Readonly<Record<string, MemoryEntry>>, request: object = {}): Promise<void> {
  const answer = await detector.detect({ entries, request });
  expect(answer.ms).toBeLessThan(MAX_MS);
  expect(answer.external).toBeLessThan(MAX_MIB * 1024 * 1024);
  expect(answer.crash).toBeUndefined();
  if (answer.plan === undefined) {
    // Every placeholder of the sentence was filled.
    expect(answer.refused).not.toMatch(/\{(?:reason|file|faults|path|framework|remedy|wanted|offered|runtime)\}/);
    return;
  }
  const plan = PlanSchema.parse({ commit: 'x', ...answer.plan });
  expect(plan.frontend ?? plan.backend).toBeDefined();
  for (const target of [plan.frontend, plan.backend]) {
    if (!target) continue;
    for (const place of [target.path, target.installPath, target.outputDirectory ?? '.']) {
      expect(place.split('/')).not.toContain('..');
      expect(place).not.toMatch(/^\/|^$/);
    }
  }
}

test('random trees and requests', async () => {
  await fc.assert(fc.asyncProperty(tree, request, judge), { numRuns: RUNS });
}, 120_000);

test('random bytes as every manifest', async () => {
  const bytes = fc.uint8Array({ maxLength: 2_000 }).map((b) => Buffer.from(b));
  await fc.assert(
    fc.asyncProperty(bytes, (b) =>
      judge(Object.fromEntries(['package.json', 'veren.json', ...files].map((f) => [f, b]))),
    ),
    { numRuns: 200 },
  );
}, 60_000);

describe('texts made to be slow, a mebibyte each', () => {
  const MIB = 1024 * 1024;
  const fill = (piece: string) => piece.repeat(Math.floor(MIB / piece.length));
  const long = (piece: string) => piece.repeat(Math.floor(199_000 / piece.length));
  const json = (value: unknown) => JSON.stringify(value);
  const site = {
    'index.html': '',
    'package.json': json({ scripts: { build: 'vite build' }, devDependencies: { vite: '7', next: '1' } }),
  };
  const cases: Readonly<Record<string, Record<string, string>>> = {
    'nested lists': { 'package.json': fill('[') },
    'dependencies, again and again': { 'package.json': `{"x":"${fill('\\"dependencies\\":{')}"}` },
    'a long range': {
      ...site,
      '.nvmrc': fill('>=1 '),
      'package.json': json({ devDependencies: { vite: '7' }, engines: { node: fill('|| >=1 ') } }),
    },
    'a range just short enough': {
      ...site,
      'package.json': json({ devDependencies: { vite: '7' }, engines: { node: '>=1.2.3-a || '.repeat(18) } }),
    },
    'a long script': {
      'index.html': '',
      'package.json': json({
        scripts: { build: fill('next export -o '), start: fill('cd --prefix ') },
        dependencies: { next: '12', express: '4' },
      }),
    },
    'comments that do not end': { ...site, 'vite.config.ts': fill('/*'), 'next.config.js': fill('/* */ ') },
    'quotes that do not end': { ...site, 'vite.config.ts': fill('`"\''), 'next.config.js': fill('"\\') },
    'settings that are none': { ...site, 'vite.config.ts': fill('outDir :'), 'next.config.js': fill("output : '") },
    'white space': { ...site, 'vite.config.ts': `root${fill(' ')}`, 'turbo.json': `{,${fill(' ')}` },
    commas: { ...site, 'turbo.json': fill(', '), 'angular.json': fill(',\n') },
    stars: {
      ...site,
      'package.json': json({
        workspaces: [`${'*a'.repeat(120)}b`, '**/'.repeat(80), '{a,b}'.repeat(50)],
        devDependencies: { vite: '7' },
      }),
      [`${'a/'.repeat(11)}package.json`]: '{}',
      [`${'a'.repeat(250)}/package.json`]: '{}',
    },
    'a thousand patterns': {
      ...site,
      'package.json': json({
        workspaces: Array.from({ length: 1_000 }, (_, i) => `{a,b,c}/**/*${i}*`),
        devDependencies: { vite: '7' },
      }),
      'apps/web/package.json': '{"scripts":{"start":"node x"},"dependencies":{"express":"1"}}',
    },
    YAML: { ...site, 'pnpm-workspace.yaml': fill('- ') },
    'YAML lists, one after the other': { ...site, 'pnpm-workspace.yaml': '[]'.repeat(8_000) },
    'YAML in flow': { ...site, 'pnpm-workspace.yaml': fill('[') },
    'YAML keys': { ...site, 'pnpm-workspace.yaml': fill('a: &a\n') },
    // Each as long as a configuration may be: a longer one is not read at all.
    'programs that a parser would try several ways': {
      ...site,
      'vite.config.ts': long('a<b>(c?(d):(e)=>'),
      'next.config.js': long('async<T>(a=>'),
      'astro.config.mjs': long('(b):<'),
      'nuxt.config.ts': long('a?b=>c?d=>'),
    },
    'programs that nest': {
      ...site,
      'vite.config.ts': `export default ${long('[')}`,
      'next.config.js': `module.exports = ${long('{a:')}`,
      'astro.config.mjs': `export default ${long('f(')}`,
      'nuxt.config.ts': `export default ${long('`${')}`,
    },
    'programs that grow': {
      ...site,
      'vite.config.ts': `const a0='xxxxxxxx';${Array.from({ length: 5_000 }, (_, i) => `const a${i + 1}=a${i}+a${i};`).join('')}export default {build:{outDir:a5000}}`,
      'next.config.js': `const a0={x:1};${Array.from({ length: 5_000 }, (_, i) => `const a${i + 1}={...a${i},...a${i},k${i}:a${i}};`).join('')}module.exports=a5000`,
      'astro.config.mjs': `const a0=[1];${Array.from({ length: 5_000 }, (_, i) => `const a${i + 1}=[...a${i},...a${i}];`).join('')}export default {integrations:a5000}`,
    },
    'scripts that call each other': {
      ...site,
      'package.json': json({
        scripts: Object.fromEntries(
          Array.from({ length: 200 }, (_, i) => [
            i === 0 ? 'build' : `s${i}`,
            Array.from({ length: 60 }, (_, k) => `npm run s${(i * 7 + k) % 200}`).join('&&'),
          ]),
        ),
        devDependencies: { vite: '7', next: '1' },
      }),
    },
    'TOML that nests, repeats itself or does not end': {
      'hugo.toml': fill('a=['),
      'config/_default/hugo.toml': 'a.'.repeat(16_000),
      'netlify.toml': fill('[[a]]\n'),
      '.mise.toml': `a="""${'"'.repeat(32_000)}`,
      'mise.toml': `[tools]\n${'a.b={c={'.repeat(4_000)}`,
      'pyproject.toml': 'a={b={'.repeat(5_000),
      'mkdocs.yml': '',
      'content/a.md': '',
    },
    'TOML just short enough': {
      'hugo.toml': Array.from({ length: 3_200 }, (_, i) => `k${i}=1`).join('\n'),
      'config/_default/hugo.toml': `a${'.a'.repeat(16_000)}=1`,
      'netlify.toml': Array.from({ length: 4_000 }, (_, i) => `[a${i}]`).join('\n'),
      'mise.toml': `x=[${'1,'.repeat(16_000)}]`,
      'content/a.md': '',
    },
    'YAML of generators': {
      'mkdocs.yml': fill('- ['),
      '_config.yml': fill('a: &a [*a, *a]\n'),
      Gemfile: fill('gem  '),
      'Gemfile.lock': fill('    jekyll (4'),
      'docs/mkdocs.yml': `plugins: ${'{a: '.repeat(3_000)}`,
      'docs/_config.yml': `a: &a [x]\n${Array.from({ length: 900 }, (_, i) => `b${i}: &b${i} [${'*a,'.repeat(3)}]`).join('\n')}`,
      '.readthedocs.yaml': fill('python:\n'),
    },
    'versions that are stated at length': {
      'hugo.yaml': '',
      'content/a.md': '',
      '.tool-versions': fill('hugo '),
      'vercel.json': fill('{"build":'),
      '.github/workflows/a.yml': fill('HUGO_VERSION: '),
      '.github/workflows/b.yml': fill(' hugo-version: "0.1'),
    },
    'requirements without an end': {
      'mkdocs.yml': '',
      'requirements.txt': fill('mkdocs '),
      'docs/requirements.txt': fill('mkdocs==1.'),
      'pyproject.toml': `[dependency-groups]\ndocs=["mkdocs${'<1,'.repeat(8_000)}"]`,
    },
    'an aggregate of configurations in every folder': Object.fromEntries(
      Array.from({ length: 2_000 }, (_, i) => [`d${i}/hugo.toml`, `baseURL = "https://x.dev/${i}"`]),
    ),
    lockfiles: { ...site, 'yarn.lock': fill('__metadata:\n \n'), 'pnpm-lock.yaml': fill('lockfileVersion: ') },
    'tool versions': {
      ...site,
      '.tool-versions': fill('node '),
      'mise.toml': fill('[tools]\n'),
      Procfile: fill('web: '),
    },
    'requirements and versions of Python': {
      'requirements.txt': fill('-r a/../'),
      'pyproject.toml': fill('[project]\n'),
      Pipfile: fill('a = ['),
      '.python-version': fill('>=3.'),
      'main.py': fill('app : a.b = FastAPI'),
      'app.py': fill('def create_app(a=1,'),
      'manage.py': fill("DJANGO_SETTINGS_MODULE', "),
      Procfile: fill('web: A=1 '),
    },
    'one line of Python': {
      'requirements.txt': `flask\n${fill('x[')}`,
      'app.py': `app = ${fill(' ')}`,
      'main.py': fill('import '),
      Procfile: `web: ${'a=b '.repeat(240)}`,
    },
    'TOML that nests': { 'pyproject.toml': `a = ${'['.repeat(250_000)}`, 'mise.toml': `${'a.'.repeat(100_000)}b = 1` },
    'TOML that is keyed': { 'pyproject.toml': Array.from({ length: 20_000 }, (_, i) => `[a.b${i}.c]\n`).join('') },
    'a module of Go': {
      'go.mod': fill('require a.b/c v1\n=> ../'),
      'main.go': fill('func main() {/*'),
      'cmd/a/main.go': fill('package main\nfunc main() { http.ListenAndServe('),
    },
    'a module in one line': {
      'go.mod': fill('require => ../ // '),
      'main.go': `package main\nfunc main() {${fill('.Run')}`,
    },
  };
  test.each(Object.entries(cases))('%s', (_name, entries) => judge(entries), 20_000);

  const settings = (piece: string) => piece.repeat(Math.floor(32_000 / piece.length));
  const settingsCases: Readonly<Record<string, string>> = {
    'a mebibyte': fill('{'),
    'nested lists': settings('['),
    'nested objects': settings('{"frontend":'),
    'unknown names': `{${Array.from({ length: 3_800 }, (_, i) => `"${i.toString(36)}":0`).join(',')}}`,
    'names that are nearly right': `{"frontend":{${Array.from({ length: 1_500 }, (_, i) => `"buildCommand${i}":0`).join(',')}}}`,
    'one long name': `{"frontend":{"${'buildCommand'.repeat(2_500)}":0}}`,
    'a list of faults': `{"frontend":{"allowSecrets":[${'0,'.repeat(15_000)}0]}}`,
    'a path of points': `{"frontend":{"path":"${'../'.repeat(10_000)}"}}`,
    'a path of slashes': `{"frontend":{"path":"${'a/'.repeat(255)}"},"backend":{"path":"${'./'.repeat(255)}a"}}`,
    prototypes: `{"__proto__":${'{"__proto__":'.repeat(1_000)}{}${'}'.repeat(1_001)}`,
  };
  test.each(Object.entries(settingsCases))(
    'veren.json: %s',
    async (_name, content) => {
      // What is read of a repository together has 16 MiB at most.
      const folders = Array.from({ length: Math.min(500, (16 * MIB) / content.length) }, (_, i) => `p${i}`);
      const below = Object.fromEntries(
        folders.flatMap((at) => [
          [`${at}/veren.json`, content],
          [`${at}/index.html`, ''],
        ]),
      );
      await judge(below);
      await judge({ ...site, 'veren.json': content });
    },
    20_000,
  );

  const tomlCases: Readonly<Record<string, string>> = {
    'nested lists': `[tools]\nnode = ${fill('[')}`,
    'dotted keys': fill('node.a.'),
    'the same key': fill('node = 1\n'),
    'within bounds, nested lists': `[tools]\nnode = ${settings('[')}`,
    'within bounds, nested tables': `[tools]\nnode = ${settings('{a=')}`,
    'within bounds, dotted keys': `[tools]\n${settings('node.')}a = 1`,
    'within bounds, dotted tables': `[tools.${settings('node.')}a]`,
    'within bounds, many tables': settings('[[tools.node]]\n'),
    'within bounds, many keys': Array.from({ length: 2_600 }, (_, i) => `node${i} = 1`).join('\n'),
    'within bounds, open text': `[tools]\nnode = """${settings('\\u0041')}`,
    'within bounds, digits': `[tools]\nnode = ${settings('9')}`,
    'within bounds, digits and lines': `[tools]\nnode = 1${settings('_1')}`,
    'within bounds, white space': `[tools]\nnode =${settings(' ')}`,
    'within bounds, comments': `[tools]${settings('#')}\nnode = "22"`,
    'within bounds, carriage returns': `[tools]${settings('\r')}node = "22"`,
    'a prototype':
      '[__proto__]\nnode = "22"\n[tools.__proto__]\nnode = "20"\n[tools.constructor.prototype]\nnode = "18"',
  };
  test.each(Object.entries(tomlCases))(
    'mise: %s',
    (_name, content) => judge({ ...site, ...Object.fromEntries(MISE_FILES.map((at) => [at, content])) }),
    20_000,
  );

  test('500 packages that all need each other', async () => {
    const all = Array.from({ length: 500 }, (_, i) => `p${i}`);
    const dependencies = Object.fromEntries(all.map((name) => [name, '*']));
    await judge({
      'package.json': json({ workspaces: ['*'] }),
      ...Object.fromEntries(
        all.map((name) => [
          `${name}/package.json`,
          json({
            name,
            dependencies: { ...dependencies, vite: '7', express: '4' },
            scripts: { build: 'x', start: 'node x' },
          }),
        ]),
      ),
      'p1/index.html': '',
    });
  });
});

test('a heap that would need more ends the thread, and the run with it', async () => {
  const small = await boundedDetector(48);
  const entries = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`d${i}/package.json`, '{}']));
  await expect(small.detect({ entries, request: {} })).rejects.toThrow(/memory limit/);
  await small.close();
});

test('helpers never throw', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300, unit: 'binary' }), fc.string({ maxLength: 100 }), (a, b) => {
      withoutComments(a);
      parseJsonc(a);
      meaningOf(a);
      globMatches(a, b);
      readProgram('x', a).path('build', 'outDir');
      readProgram('x', `export default {build:{outDir:${b}`).path('build', 'outDir');
      parseCommands(a);
      matcherOf(a)?.(12);
      matcherOf(`>=3.${b},<${a}`)?.(12);
      readToml(a);
      readToml(`[a]\nb=${b}`);
      readYaml(a, ['a']);
      judgeBaseUrl(`https://${a}`);
      versionIn(a);
      parseSettings(a).listFaults();
      parseSettings(`{"frontend":{"path":${JSON.stringify(b)}}}`).listFaults();
      readMiseNode(a);
      readMiseNode(`[tools]\nnode = ${b}`);
    }),
    { numRuns: 2_000 },
  );
});

test('a pattern without special characters matches exactly itself', () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (parts) => {
      const path = parts.join('/');
      expect(globMatches(path, path)).toBe(true);
      expect(globMatches('**', path)).toBe(true);
      expect(globMatches(parts.map(() => '*').join('/'), path)).toBe(true);
      expect(globMatches(`${path}/x`, path)).toBe(false);
      expect(globMatches(parts.map((p) => `${p[0]}*`).join('/'), path)).toBe(true);
    }),
  );
});
