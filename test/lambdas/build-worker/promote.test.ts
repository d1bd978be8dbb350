import type { Objects } from '../../../builder-images/shared/objects.ts';
import { promotionJobId } from '../../../contract/jobs.ts';
import { QUEUES, s3Keys } from '../../../contract/names.ts';
import { drainPromotions } from '../../../lambdas/build-worker/workers/promote.ts';
import { systemClock } from '../../../lambdas/shared/clock.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { silentLog } from '../../support/log.ts';

const artifact = { kind: 'static', bucket: 'b', prefix: '__outputs/p1/', files: 1, bytes: 2 } as const;

/** A bucket in memory, with a note of a promotion whose lease never ends in one project's part. */
function bucket(): Objects {
  const kept = new Map<string, string>();
  for (const [projectId, deploymentId] of [
    ['p1', 'd1'],
    ['p2', 'd2'],
  ] as const)
    kept.set(
      s3Keys.deploymentManifest(projectId, deploymentId),
      JSON.stringify({
        ...{ v: 1, projectId, deploymentId, attempt: 1, commit: 'c', createdAt: new Date(0).toISOString() },
        ...{ files: 0, bytes: 0, objects: [] },
      }),
    );
  const pending = { deploymentId: 'd0', holder: 'h', leaseUntil: Number.MAX_SAFE_INTEGER, dirty: [] };
  const promotion = { v: 1, live: null, pending, updatedAt: new Date(0).toISOString() };
  kept.set(s3Keys.promotion('p1'), JSON.stringify(promotion));
  return {
    get: async (key) => {
      const body = kept.get(key);
      return body === undefined ? null : { body: Buffer.from(body), etag: body };
    },
    putIf: async (key, body, etag) => {
      if ((kept.get(key) ?? null) !== etag) return null;
      kept.set(key, body);
      return body;
    },
    stream: async () => null,
    put: async () => undefined,
    copy: async () => undefined,
    remove: async () => undefined,
    list: async () => [],
  };
}

test('a promotion that waits for one that never ends does not hold up those of other projects', async () => {
  const ports = await openMemoryPlatform({ clock: systemClock });
  const job = (deploymentId: string, projectId: string) => ({
    id: promotionJobId(deploymentId),
    data: { deploymentId, projectId, owner: 'ada', attempt: 1, artifact, logLines: 0 },
    owner: 'ada',
    projectId,
  });
  await ports.queue.enqueue(QUEUES.promote, job('d1', 'p1'));
  await ports.queue.enqueue(QUEUES.promote, job('d2', 'p2'));
  const objects = bucket();
  const drained = await drainPromotions({
    ...ports,
    clock: systemClock,
    mintCredentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c' }),
    openObjects: () => objects,
    maxWaitMs: 300,
    log: silentLog,
  });
  expect(drained).toBe(true);
  const { live } = JSON.parse((await objects.get(s3Keys.promotion('p2')))!.body.toString());
  expect(live).toBe('d2');
  expect(await ports.queue.get(QUEUES.promote, promotionJobId('d2'))).toBeNull();
  // It comes again after a while.
  expect(await ports.queue.get(QUEUES.promote, promotionJobId('d1'))).toMatchObject({ state: 'waiting', attempt: 2 });
  await ports.close();
});
