import type { DeploymentRequest } from '../../../contract/jobs.ts';
import type { Plan } from '../../../contract/plan.ts';
import { buildKeyOf } from '../../../lambdas/clone-worker/buildKey.ts';
import { testSecretBox } from '../../support/api.ts';
import { frontendPlan } from '../../support/events.ts';

const box = testSecretBox();
const request: DeploymentRequest = { projectId: 'shop', gitUrl: 'https://git.example/shop.git' };
const plan: Plan = { ...frontendPlan(), inputs: 'a'.repeat(64), lane: 'production' };
const keyOf = (over: { variables?: number; usesCommit?: boolean; request?: object; plan?: object } = {}) =>
  buildKeyOf(
    box,
    { ...request, ...over.request },
    { ...plan, ...over.plan },
    { builders: '1', usesCommit: over.usesCommit ?? false, variables: over.variables },
  );

test.each<[string, Parameters<typeof keyOf>[0]]>([
  ["another version of the project's variables", { variables: 2 }],
  ['no variables any more', {}],
  ['another input', { variables: 1, plan: { inputs: 'b'.repeat(64) } }],
  ['another lane', { variables: 1, plan: { lane: 'preview' } }],
  ['a variable of the request', { variables: 1, request: { env: { A: '1' } } }],
])('%s is another build', async (_what, over) => {
  expect(await keyOf(over)).not.toBe(await keyOf({ variables: 1 }));
});

test('what does not say what is built is in no key, and the commit only where a build sees it', async () => {
  const same = { variables: 1, plan: { commit: 'c'.repeat(40) }, request: { ref: 'main', force: true } };
  expect(await keyOf(same)).toBe(await keyOf({ variables: 1 }));
  expect(await keyOf({ ...same, usesCommit: true })).not.toBe(await keyOf({ variables: 1, usesCommit: true }));
});
