import type { Lane } from '../../../contract/lanes.ts';
import { makeAnalyzedEvent, makeRequestedEvent } from '../../../lambdas/domain/events.ts';
import { serviceVersionOf } from '../../../lambdas/releaser/services.ts';
import { openProjectStore } from '../../../lambdas/shared/projects/projectStore.ts';
import { openVariableStore } from '../../../lambdas/shared/projects/variableStore.ts';
import type { Services } from '../../../lambdas/shared/services/servicePort.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { testSecretBox } from '../../support/api.ts';
import { backendPlan } from '../../support/events.ts';
import { memoryS3 } from '../../support/memoryS3.ts';

const clock = { now: Date.now };
const of = { projectId: 'shop', owner: 'ada', deploymentId: 'd1', gitUrl: 'https://h/x', ref: null };
const artifact = { kind: 'image' as const, uri: 'r/x:shop-d1', digest: `sha256:${'0'.repeat(64)}`, bytes: 1 };

/** Whether a backend of this lane is attached to the VPC, for a project that wants it. */
async function isAttached(lane: Lane) {
  const storage = { s3: memoryS3(), bucket: 'b', clock };
  const ports = await openMemoryPlatform({ clock });
  const projects = openProjectStore(storage);
  await projects.ensure('shop', 'ada', { service: { vpc: true } });
  const requested = makeRequestedEvent({ ...of, correlationId: undefined }, 'r', clock.now());
  await ports.store.create({ requested, request: { projectId: 'shop', gitUrl: of.gitUrl } });
  await ports.store.fold('d1', [
    makeAnalyzedEvent(of, { ...backendPlan(), lane, environment: 'preview' }, clock.now()),
  ]);
  const [project, stored] = await Promise.all([projects.get('shop'), ports.store.get('d1')]);
  // Nothing is started here.
  const services = {} as Services;
  const runner = { services, secretBox: testSecretBox(), variables: openVariableStore(storage), bus: ports.bus };
  return (await serviceVersionOf(runner, project!, stored!.record, artifact))?.settings.vpc;
}

test("the code of a stranger's fork does not run in the VPC, whose databases let the project's own code in", async () => {
  expect(await isAttached('preview')).toBe(true);
  expect(await isAttached('untrusted')).toBe(false);
});
