import { VerenError } from '../../../contract/errors.ts';
import { QUEUES, TOPICS } from '../../../contract/names.ts';
import { drainPromotions, type PromotionDeps } from '../../../lambdas/build-worker/workers/promote.ts';
import type { EventBus, StoredDeployment } from '../../../lambdas/shared/ports.ts';
import { queuePromotion } from '../../../lambdas/shared/promotion.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { recordingLog } from '../../support/log.ts';

/** A promotion is found in logs and events by the same fields as the build that it belongs to. */
test('a promotion keeps the correlation id of its deployment, in its event and in each line', async () => {
  const clock = { now: Date.now };
  const { queue, store, doorbell } = await openMemoryPlatform({ clock });
  const build = { deploymentId: 'd1', projectId: 'p1', correlationId: 'ticket-4711' };
  const artifact = { kind: 'static', bucket: 'b', prefix: '__outputs/p1/', files: 1, bytes: 1 };
  const deployment = {
    record: { ...build, owner: 'ann' },
    facts: { attempts: { frontend: { 2: { phases: {}, stored: { attempt: 2, artifact, logLines: 3 } } } } },
  } as unknown as StoredDeployment;
  await queuePromotion({ queue, doorbell }, deployment);
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
  expect(lines).toEqual([expect.objectContaining({ message: 'A site was not promoted', ...fields })]);
});
