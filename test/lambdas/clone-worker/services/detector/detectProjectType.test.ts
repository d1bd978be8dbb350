import { VerenError } from '../../../../../contract/errors.ts';
import { PlanSchema } from '../../../../../contract/plan.ts';
import { detectProjectType } from '../../../../../lambdas/clone-worker/services/detector/detectProjectType.ts';
import { memoryFs } from '../../../../support/memoryFs.ts';
import { backendCases } from './cases/backends.ts';
import type { Case } from './cases/case.ts';
import { dockerfileCases } from './cases/dockerfile.ts';
import { frameworkCases } from './cases/frameworks.ts';
import { generatorCases } from './cases/generators.ts';
import { languageCases } from './cases/languages.ts';
import { layoutCases } from './cases/layouts.ts';
import { nodeVersionCases } from './cases/nodeVersion.ts';
import { packageManagerCases } from './cases/packageManager.ts';
import { pageAndFaultCases } from './cases/pagesAndFaults.ts';

const TABLES: Readonly<Record<string, readonly Case[]>> = {
  'Node version': nodeVersionCases,
  'package manager': packageManagerCases,
  framework: frameworkCases,
  generator: generatorCases,
  layout: layoutCases,
  backend: backendCases,
  language: languageCases,
  dockerfile: dockerfileCases,
  'pages and faults': pageAndFaultCases,
};

const detect = (c: Case) =>
  detectProjectType(memoryFs(c.files), { today: '2026-11-23', maxFileBytes: 1024 * 1024, ...c.request });

for (const [concern, cases] of Object.entries(TABLES)) {
  describe(concern, () => {
    test.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, c) => {
      if (c.error) {
        const error = await detect(c).then(
          (plan) => Promise.reject(new Error(`a plan was made: ${JSON.stringify(plan)}`)),
          (e: unknown) => e,
        );
        if (!(error instanceof VerenError)) throw error;
        expect(error.code).toBe(c.error.code);
        if (c.error.says) expect(error.message).toMatch(c.error.says);
        return;
      }
      const plan = await detect(c);
      expect(PlanSchema.safeParse({ commit: 'x', ...plan }).error).toBeUndefined();
      for (const target of ['frontend', 'backend'] as const) {
        const expected = c[target];
        if (expected === null) expect(plan[target]).toBeUndefined();
        else if (expected !== undefined) expect(plan[target]).toMatchObject(expected);
      }
      for (const pattern of c.warns ?? []) expect(plan.warnings).toContainEqual(expect.stringMatching(pattern));
      if (c.warns?.length === 0) expect(plan.warnings).toEqual([]);
      const evidence = [...(plan.frontend?.evidence ?? []), ...(plan.backend?.evidence ?? [])];
      for (const [field, file] of c.because ?? [])
        expect(evidence.filter((e) => e.field === field).map((e) => e.file)).toContain(file);
    });
  });
}

test('the tables hold at least 150 cases, none twice', () => {
  const names = Object.entries(TABLES).flatMap(([concern, cases]) => cases.map((c) => `${concern}: ${c.name}`));
  expect(names.length).toBeGreaterThanOrEqual(150);
  expect(new Set(names).size).toBe(names.length);
});

test('every value of a plan has its reason', async () => {
  const plan = await detect(backendCases[0]!);
  const reasons = new Set(plan.backend!.evidence.map((e) => e.field));
  for (const field of [
    'path',
    'framework',
    'packageManager',
    'nodeVersion',
    'installPath',
    'installCommand',
    'startCommand',
    'port',
  ])
    expect(reasons).toContain(field);
});
