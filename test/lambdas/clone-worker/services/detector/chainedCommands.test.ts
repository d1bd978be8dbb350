import { detectProjectType } from '../../../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import { memoryFs } from '../../../../../lambdas/shared/repo/memoryFs.ts';

/** Steps before and after the bundler have output options of their own, for other things than the site. */
async function output(build: string, devDependencies: Record<string, string>) {
  const tree = {
    'package.json': JSON.stringify({ name: 'chained', scripts: { build, bundle: 'vite build' }, devDependencies }),
    'index.html': '<script type=module src=/src/main.js></script>',
    'src/main.js': '',
  };
  const plan = await detectProjectType(memoryFs(tree), { today: '2026-11-27', maxFileBytes: 65_536 });
  return plan.frontend?.outputDirectory;
}

test.each([
  ['node gen.mjs --output src/generated && vite build', 'dist'],
  ['node gen.mjs --outDir=src/gen; vite build', 'dist'],
  ['tsc --outDir lib && vite build', 'dist'],
  ['tailwindcss -i a.css --output public/tw.css && vite build', 'dist'],
  ['openapi-typescript x.yaml --output src/schema.d.ts && vite build', 'dist'],
  ['graphql-codegen --output src/gql && npm run bundle', 'dist'],
  ['vite build && workbox generateSW --output dist/sw.js', 'dist'],
  ['vite build && cp -r dist/* --dest x', 'dist'],
  ['vite build --outDir site && node x --output other', 'site'],
])('%s', async (build, wanted) => {
  expect(await output(build, { vite: '6.3.5' })).toBe(wanted);
});

test.each([
  ['node gen.mjs --output src/generated && node make.mjs', 'dist'],
  ['node gen.mjs --output ./src && node make.mjs --output site', 'site'],
  ['tsc --outDir types && node make.mjs', 'dist'],
])('without a framework: %s', async (build, wanted) => {
  expect(await output(build, {})).toBe(wanted);
});
