import { applyProjectSettings } from '../../../lambdas/clone-worker/projectSettings.ts';
import { detectProjectType } from '../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import { memoryFs } from '../../support/memoryFs.ts';

const request = { projectId: 'shop', gitUrl: 'https://git.example/shop.git' };

test('what a request leaves out is the project’s, field by field', () => {
  const applied = applyProjectSettings(
    { ...request, frontend: { buildCommand: 'asked', nodeVersion: 20 }, git: { lfs: true } },
    {
      frontend: { buildCommand: 'stated', outputDirectory: 'out', runtime: { name: 'hugo' } },
      backend: false,
      git: { lfs: false, tags: true },
      publication: 'independent',
    },
  );
  expect(applied).toMatchObject({
    frontend: { buildCommand: 'asked', nodeVersion: 20, outputDirectory: 'out' },
    backend: false,
    git: { lfs: true, tags: true },
    publication: 'independent',
    fromProject: ['frontend.outputDirectory', 'git.tags', 'publication'],
  });
  // The runtime and Node's version are one choice.
  expect(applied.frontend).not.toHaveProperty('runtime');
});

test.each([
  [false, { buildCommand: 'x' }, false],
  [undefined, false, false],
  [{ buildCommand: 'x' }, false, { buildCommand: 'x' }],
  [undefined, undefined, undefined],
  [{}, undefined, {}],
] as const)('%j over %j is %j', (asked, stated, expected) => {
  const given = { ...request, ...(asked !== undefined && { frontend: asked }) };
  expect(applyProjectSettings(given, { ...(stated !== undefined && { frontend: stated }) }).frontend).toEqual(expected);
});

test.each(['apps/shop', './apps/shop/', 'apps/shop/'])(
  'root directory %s is the beginning of paths',
  (rootDirectory) => {
    const applied = applyProjectSettings(
      { ...request, frontend: { path: 'web' } },
      { rootDirectory, backend: { path: '.' } },
    );
    expect(applied).toMatchObject({
      path: 'apps/shop',
      frontend: { path: 'apps/shop/web' },
      backend: { path: 'apps/shop' },
    });
    expect(applyProjectSettings(request, { rootDirectory: '.' })).not.toHaveProperty('path');
  },
);

test('request, project, settings file, detection: the plan follows this order and says who decided', async () => {
  const fs = memoryFs({
    'apps/a/package.json': JSON.stringify({ scripts: { build: 'vite build' }, devDependencies: { vite: '6' } }),
    'apps/a/index.html': '<script type="module" src="/m.js"></script>',
    'apps/a/veren.json': JSON.stringify({
      frontend: { buildCommand: 'by file', installCommand: 'by file', outputDirectory: 'by-file' },
    }),
    'apps/b/package.json': JSON.stringify({ scripts: { build: 'vite build' }, devDependencies: { vite: '6' } }),
    'apps/b/index.html': '',
  });
  const { path, frontend, fromProject } = applyProjectSettings(
    { ...request, frontend: { buildCommand: 'by request' } },
    { rootDirectory: 'apps/a', frontend: { buildCommand: 'by project', installCommand: 'by project' } },
  );
  const plan = await detectProjectType(fs, { path, frontend, fromProject, today: '2026-11-28', maxFileBytes: 1e6 });
  expect(plan.frontend).toMatchObject({
    path: 'apps/a',
    buildCommand: 'by request',
    installCommand: 'by project',
    outputDirectory: 'by-file',
  });
  const ruleOf = (field: string) => plan.frontend?.evidence.find((e) => e.field === field)?.rule;
  expect([ruleOf('buildCommand'), ruleOf('installCommand'), ruleOf('outputDirectory')]).toEqual([
    'request',
    'project',
    'veren.json',
  ]);
});
