import fc from 'fast-check';
import { readProgram } from '../../../../../../lambdas/clone-worker/services/detector/config/readProgram.ts';

const path = (source: string, ...keys: string[]) => readProgram('x.config.ts', source).path(...keys);
const out = (source: string) => path(source, 'build', 'outDir');

describe('paths', () => {
  test.each([
    ["export default { build: { outDir: 'site' } }", 'site'],
    ['export default { build: { outDir: `./site/` } }', 'site'],
    ["import { resolve } from 'path'; export default { build: { outDir: resolve(__dirname, 'site') } }", 'site'],
    ["export default { build: { outDir: path.join(__dirname, '..', 'site') } }", '../site'],
    ["export default { build: { outDir: path.resolve(import.meta.dirname, '../../dist/web') } }", '../../dist/web'],
    ["export default { build: { outDir: fileURLToPath(new URL('./site', import.meta.url)) } }", 'site'],
    ["export default { build: { outDir: __dirname + '/site' } }", 'site'],
    ["export default { build: { outDir: path.resolve(process.cwd(), 'site') } }", 'site'],
    ["const out = 'site';\nexport default { build: { outDir: `${out}/web` } }", 'site/web'],
    ["const dirs = { out: 'site' };\nexport default { build: { outDir: dirs.out } }", 'site'],
    ["export default { build: { outDir: process.env.OUT || 'site' } }", 'site'],
    ["export default { build: { outDir: process.env.OUT ?? 'site' } }", 'site'],
    ["export default { build: { outDir: process.env.NODE_ENV === 'production' ? 'site' : 'dev' } }", 'site'],
  ])('%s', (source, expected) => expect(out(source)).toBe(expected));
});

describe('exports', () => {
  test.each([
    "export default defineConfig({ build: { outDir: 'site' } })",
    "export default defineConfig(({ mode }) => ({ build: { outDir: 'site' } }))",
    "export default defineConfig(async ({ mode }: ConfigEnv): Promise<UserConfig> => { return { build: { outDir: 'site' } } })",
    "export default defineConfig(({ command }) => { if (command === 'serve') return {}; return { build: { outDir: 'site' } } })",
    "module.exports = { build: { outDir: 'site' } }",
    "module.exports = function () { const x = 1\n return { build: { outDir: 'site' } } }",
    "exports.default = { build: { outDir: 'site' } }",
    "const config: UserConfig = { build: { outDir: 'site' } }\nexport default config",
    "export default { build: { outDir: 'site' } } satisfies UserConfig",
    "export default mergeConfig(base, { build: { outDir: 'site' } })",
    "export default withA(withB({ x: 1 })({ build: { outDir: 'site' } }))",
    "const base = { build: { outDir: 'site' } };\nexport default { ...base, plugins: [] }",
    "export = { build: { outDir: 'site' } }",
    "#!/usr/bin/env node\n'use strict'\nmodule.exports = { build: { outDir: 'site' } };",
    "import type { A } from 'a'\ninterface B { x: string }\ntype C = { build: 1 }\nexport default <C>{ build: { outDir: 'site' as string } }",
    "export default { re: /a[/'\"]b/g.test(x) ? 1 : 2, t: `a${`b`}c`, build: { outDir: 'site' } }",
    "export default { plugins: [a({ build: { outDir: 'other' } })], build: { outDir: 'site' } }",
  ])('%s', (source) => expect(out(source)).toBe('site'));
});

describe('what is not known', () => {
  test.each([
    'export default { build: { outDir: read() } }',
    'export default { build: { outDir: choose ? "a" : "b" } }',
    'export default { build: { outDir: process.env.OUT } }',
    "import dir from './dir'; export default { build: { outDir: dir } }",
  ])('%s', (source) => {
    expect(out(source)).toBeUndefined();
    expect(readProgram('x', source).isUnclear('build', 'outDir')).toBe(true);
  });

  test.each([
    '',
    'export default {}',
    'export default { plugins: [a({ build: { outDir: "x" } })] }',
    '}{',
    'export default',
  ])('nothing is said by %j', (source) => {
    expect(out(source)).toBeUndefined();
    expect(readProgram('x', source).isUnclear('build', 'outDir')).toBe(false);
  });
});

test('a nested key is no key of the top, and a plugin is known by its module', () => {
  const config = readProgram(
    'nuxt.config.ts',
    "import pages from '@x/pages'\nexport default { routeRules: { '/a': { ssr: false } }, plugins: [[pages({ a: 1 })], flag && other()] }",
  );
  expect(config.isSet(false, 'ssr')).toBe(false);
  expect(config.plugin(['@x/pages'])?.name).toBe('pages');
  expect(config.plugin(['other'])?.name).toBe('other');
  expect(config.plugin(['absent'])).toBeUndefined();
});

test('any JSON object is read as what it is', () => {
  const key = fc.stringMatching(/^[a-z]{1,6}$/);
  const folder = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(fc.array(key, { minLength: 1, maxLength: 5 }), folder, (keys, value) => {
      const object = keys.reduceRight<unknown>(
        (inner, name) => ({ before: '}{', [name]: inner, after: [1, "'"] }),
        value,
      );
      fc.pre(!keys.includes('before') && !keys.includes('after'));
      expect(path(`export default ${JSON.stringify(object)}`, ...keys)).toBe(value);
      expect(path(`module.exports = (${JSON.stringify(object, null, 2)});`, ...keys)).toBe(value);
    }),
  );
});
