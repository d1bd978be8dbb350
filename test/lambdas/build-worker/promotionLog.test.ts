import { VerenError } from '../../../contract/errors.ts';
import { QUEUES, TOPICS } from '../../../contract/names.ts';
import {
  drainPromotions,
  PROMOTION_LEASE_MS,
  type PromotionDeps,
} from '../../../lambdas/build-worker/workers/promote.ts';
import type { EventBus, StoredDeployment } from '../../../lambdas/shared/ports.ts';
import { queuePromotion } from '../../../lambdas/shared/promotion.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { recordingLog } from '../../support/log.ts';

/** A promotion is found in logs and events by the same fields as the build that it belongs to. */
test('a promotion keeps the correlation id of its deployment, in its event and in each line', async () => {
  const clock = { now: Date.now };
  const { queue, store, waker } = await openMemoryPlatform({ clock });
  const build = { deploymentId: 'd1', projectId: 'p1', correlationId: 'ticket-4711' };
  const artifact = { kind: 'static', bucket: 'b', prefix: '__outputs/p1/', files: 1, bytes: 1 };
  const deployment = {
    record: { ...build, owner: 'ann' },
    facts: { attempts: { frontend: { 2: { phases: {}, stored: { attempt: 2, artifact, logLines: 3 } } } } },
  } as unknown as StoredDeployment;
  await queuePromotion({ queue, waker }, deployment);
  expect((await queue.get(QUEUES.promote, 'd1'))?.data).toMatchObject(build);

  const published: object[] = [];
  const bus = {
    publish: async (topic: string, messages: readonly { value: string }[]) => {
      expect(topic).toBe(TOPICS.events);
      published.push(...messages.map(({ value }) => JSON.parse(value) as object));
    },
  } as unknown as EventBus;
  const { log, lines } = recordingLog();
  const canceled = async () => {
    throw new VerenError('DEPLOYMENT_CANCELED');
  };
  const deps: PromotionDeps = {
    ...{ queue, store, bus, clock, log },
    mintCredentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' }),
    openObjects: () => ({ get: canceled }) as never,
  };
  expect(await drainPromotions(deps)).toBe(true);
  const fields = { ...build, target: 'frontend', attempt: 2 };
  expect(published).toEqual([expect.objectContaining({ type: 'build.failed', ...fields })]);
  expect(lines).toEqual([expect.objectContaining({ message: 'The publication of a site was not decided', ...fields })]);
});

test('a promotion over which worker after worker dies is given up, and stays in nobody’s way', async () => {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now };
  const { queue, store } = await openMemoryPlatform({ clock });
  const artifact = { kind: 'static', bucket: 'b', prefix: '__outputs/p1/', files: 1, bytes: 1 };
  const data = { deploymentId: 'd1', projectId: 'p1', owner: 'ann', attempt: 1, artifact, logLines: 3 };
  await queue.enqueue(QUEUES.promote, { id: 'd1', owner: 'ann', projectId: 'p1', data });
  const published: object[] = [];
  const publish = async (_: string, messages: readonly { value: string }[]) =>
    void published.push(...messages.map(({ value }) => JSON.parse(value) as object));
  let deaths = 0;
  const deps = {
    ...{ queue, store, clock, bus: { publish }, log: recordingLog().log },
    mintCredentials: () => {
      deaths++;
      return new Promise(() => undefined);
    },
  } as unknown as PromotionDeps;
  while (published.length === 0 && deaths < 50) {
    await Promise.race([drainPromotions(deps), new Promise((resolve) => setTimeout(resolve, 20))]);
    now += PROMOTION_LEASE_MS + 1;
  }
  expect(deaths).toBe(10);
  expect(published).toEqual([
    expect.objectContaining({ type: 'build.failed', error: expect.objectContaining({ code: 'RETRIES_EXHAUSTED' }) }),
  ]);
  expect(await queue.get(QUEUES.promote, 'd1')).toBeNull();
});
