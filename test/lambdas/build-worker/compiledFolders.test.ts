import { FrontendEnvSchema } from '../../../contract/builder-env.ts';
import type { BuildJob } from '../../../contract/jobs.ts';
import { CompiledFoldersSchema, type TargetPlan } from '../../../contract/plan.ts';
import { frontendEnvironment } from '../../../lambdas/build-worker/services/distributionHandler/buildFrontend.ts';
import { detectProjectType } from '../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import { FRAMEWORKS } from '../../../lambdas/clone-worker/services/detector/frameworks/index.ts';
import { memoryFs } from '../../support/memoryFs.ts';

const environmentOf = (plan: TargetPlan) =>
  frontendEnvironment(
    { plan, commit: 'a'.repeat(40), projectId: 'p', deploymentId: 'd', gitUrl: 'x', env: {} } as unknown as BuildJob,
    { credentials: {}, kafka: {}, endpoints: {} } as Parameters<typeof frontendEnvironment>[1],
  );
const read = (value: string | undefined) => FrontendEnvSchema.shape.COMPILED_FOLDERS.parse(value);

test('the folders that a framework’s file names reach the builder; a plan of an earlier version names none', async () => {
  const { frontend } = await detectProjectType(
    memoryFs({
      'package.json': JSON.stringify({ scripts: { build: 'next build' }, dependencies: { next: '15' } }),
      'next.config.js': "module.exports = { output: 'export' };",
    }),
    { today: '2026-11-28', maxFileBytes: 1_048_576 },
  );
  expect(read(environmentOf(frontend!).COMPILED_FOLDERS)).toContain('.next/cache/webpack');
  const { compiledFolders: _none, ...earlier } = frontend!;
  expect(read(environmentOf(earlier).COMPILED_FOLDERS)).toEqual([]);
});

test('only folders below the target’s are named', () => {
  for (const { compiledFolders = [] } of FRAMEWORKS) CompiledFoldersSchema.parse([...compiledFolders]);
  for (const path of ['..', '../x', 'a/../../x', '/etc', './x', 'a/..', '.', '', 'a//b', 'a\nb', 'a/'])
    expect([path, CompiledFoldersSchema.safeParse([path]).success]).toEqual([path, false]);
});
