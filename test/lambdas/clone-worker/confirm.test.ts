import { QUEUES } from '../../../contract/names.ts';
import { drainCloneQueue } from '../../../lambdas/clone-worker/workers/clone.ts';
import { makeRequestedEvent } from '../../../lambdas/domain/events.ts';
import { submitDeployment } from '../../../lambdas/shared/submit.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { testSecretBox } from '../../support/api.ts';
import { frontendPlan } from '../../support/events.ts';
import { fakeClock } from '../../support/fakeClock.ts';
import { silentLog } from '../../support/log.ts';
import { noProjects } from '../../support/noProjects.ts';

const HOUR = 3_600_000;

test('an analysis whose plan never gets into the record is not published for ever: who ends what hangs has its turn', async () => {
  const clock = fakeClock();
  const platform = await openMemoryPlatform({ clock });
  const of = { deploymentId: 'd1', projectId: 'p1', owner: 'ann', gitUrl: 'https://git.example/x.git', ref: null };
  const requested = makeRequestedEvent({ ...of, correlationId: undefined }, 'r', clock.now());
  const stored = { requested, request: { projectId: 'p1', gitUrl: of.gitUrl } };
  await platform.store.create(stored);
  await submitDeployment({ ...platform, clock } as never, (await platform.store.get('d1'))!);
  const told: number[] = [];
  const bus = {
    publish: async (_: unknown, messages: readonly { value: string }[]) => {
      if (messages.some(({ value }) => JSON.parse(value).type === 'deployment.analyzed')) told.push(clock.now());
    },
  };
  const analyze = async () => frontendPlan();
  const deps = { ...platform, bus, clock, log: silentLog, secretBox: testSecretBox(), ...noProjects, analyze };
  for (let minute = 0; minute < 3 * 60; minute++) {
    await drainCloneQueue(deps);
    clock.advance(60_000);
  }
  expect(told.length).toBeGreaterThan(5);
  expect(told.at(-1)! - told[0]!).toBeLessThan(1.1 * HOUR);
  expect(await platform.queue.get(QUEUES.clone, 'd1')).toBeNull();
});
