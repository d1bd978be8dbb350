import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { QUEUES } from '../../../contract/names.ts';
import { deploymentIds, rankOf } from '../../../lambdas/domain/deploymentIds.ts';
import { openMemoryPlatform } from '../../../local/adapters/memory/platform.ts';
import { fakeClock } from '../../support/fakeClock.ts';

const HOUR = 3_600_000;
const Q = QUEUES.build;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veren-clock-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('ids grow whatever the clock does, also over restarts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -HOUR, max: HOUR }), fc.boolean()), { maxLength: 60 }), (steps) => {
      const clock = fakeClock();
      let newId = deploymentIds(clock);
      let last: string | undefined;
      for (const [step, restarts] of steps) {
        clock.advance(step);
        if (restarts) newId = deploymentIds(clock);
        const id = newId(last);
        expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
        if (last !== undefined) {
          expect(id > last).toBe(true);
          const rank = (deploymentId: string) => rankOf({ deploymentId, createdAt: '' });
          expect(rank(id)).toBeGreaterThanOrEqual(rank(last));
        }
        last = id;
      }
    }),
  );
});

const job = (id: string) => ({ id, owner: 'ann', projectId: id, data: null });
const lease = { leaseMs: 60_000 };

test('what waits for its time is due when that has passed, not when the clock has come there again', async () => {
  const clock = fakeClock();
  const { queue } = await openMemoryPlatform({ clock });
  await queue.enqueue(Q, job('a'));
  await queue.claim(Q, lease);
  await queue.retry(Q, 'a', 1, 30_000);
  clock.advance(-HOUR);
  expect(await queue.claim(Q, lease)).toBeNull();
  clock.advance(30_000);
  expect(await queue.claim(Q, lease)).toMatchObject({ id: 'a' });
  clock.advance(-HOUR);
  await queue.enqueue(Q, job('b'));
  expect(await queue.claim(Q, lease)).toMatchObject({ id: 'b' });
  clock.advance(60_001);
  expect(await queue.claim(Q, lease)).toMatchObject({ id: 'a', leaseExpired: true });
});

test('after a restart nothing waits longer than it was put off', async () => {
  const clock = fakeClock();
  const first = await openMemoryPlatform({ dataDir: dir, clock });
  for (const id of ['added', 'retried']) await first.queue.enqueue(Q, job(id));
  await first.queue.claim(Q, lease);
  await first.queue.claim(Q, lease);
  await first.queue.requeue(Q, 'added', 0);
  await first.queue.retry(Q, 'retried', 1, 30_000);
  await first.close();
  clock.advance(-10 * HOUR);
  const { queue, close } = await openMemoryPlatform({ dataDir: dir, clock });
  expect(await queue.claim(Q, lease)).toMatchObject({ id: 'added' });
  expect(await queue.claim(Q, lease)).toBeNull();
  clock.advance(30_000);
  expect(await queue.claim(Q, lease)).toMatchObject({ id: 'retried' });
  await close();
});
