import fc from 'fast-check';
import type { RateLimit } from '../../lambdas/shared/ports.ts';
import type { FakeClock } from '../support/fakeClock.ts';
import { overStorages } from './storages.ts';

const MINUTE = 60_000;

overStorages('RateLimit', (open) => {
  let rateLimit: RateLimit;
  let clock: FakeClock;
  beforeEach(async () => {
    ({ rateLimit, clock } = await open());
  });
  const takeMany = async (n: number, limit: number) => {
    let taken = 0;
    for (let i = 0; i < n; i++) if ((await rateLimit.take('ann', limit, MINUTE)).taken) taken++;
    return taken;
  };

  test('counts up to the limit; what is refused does not count, and others are not touched', async () => {
    expect(await takeMany(9, 5)).toBe(5);
    expect(await rateLimit.count('ann', MINUTE)).toBe(5);
    expect((await rateLimit.take('bob', 5, MINUTE)).taken).toBe(true);
    expect((await rateLimit.take('ann', 5, 2 * MINUTE)).taken).toBe(true);
    expect(await takeMany(9, 7)).toBe(2);
  });

  test('after the time that it names there is room for one more, and not before', async () => {
    await takeMany(5, 5);
    const { taken, waitMs } = await rateLimit.take('ann', 5, MINUTE);
    expect(taken).toBe(false);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(2 * MINUTE);
    clock.advance(waitMs - 1);
    expect(await takeMany(1, 5)).toBe(0);
    clock.advance(1);
    expect(await takeMany(9, 5)).toBe(1);
  });

  test('the turn of the window does not give the limit twice', async () => {
    clock.advance(MINUTE - 1_000);
    expect(await takeMany(100, 60)).toBe(60);
    clock.advance(2_000);
    expect(await takeMany(100, 60)).toBeLessThanOrEqual(2);
    clock.advance(2 * MINUTE);
    expect(await takeMany(100, 60)).toBe(60);
  });

  test('of many at the same moment never one too many gets through', async () => {
    const got = await Promise.all(Array.from({ length: 50 }, () => rateLimit.take('ann', 10, MINUTE)));
    expect(got.filter(({ taken }) => taken)).toHaveLength(10);
    expect(await rateLimit.count('ann', MINUTE)).toBe(10);
  });

  test('a clock that is set back neither fails nor locks out for ever', async () => {
    await takeMany(5, 5);
    clock.advance(-10 * MINUTE);
    expect(await takeMany(9, 5)).toBe(5);
    clock.advance(2 * MINUTE);
    expect(await takeMany(9, 5)).toBe(5);
  });

  test('no run of steps gets more than twice the limit into any window, and a wait always ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 30 }),
        fc.uuid(),
        async (limit, steps, key) => {
          const taken: number[] = [];
          for (const step of steps) {
            clock.advance(step);
            const answer = await rateLimit.take(key, limit, MINUTE);
            if (answer.taken) taken.push(clock.now());
            else {
              expect(answer.waitMs).toBeGreaterThan(0);
              clock.advance(answer.waitMs);
              expect((await rateLimit.take(key, limit, MINUTE)).taken).toBe(true);
              taken.push(clock.now());
            }
          }
          // The window before is taken as spread evenly, so that a run of bad luck may have more than the limit in one.
          for (const at of taken)
            expect(taken.filter((t) => t > at - MINUTE && t <= at).length).toBeLessThanOrEqual(2 * limit);
        },
      ),
      { numRuns: 25 },
    );
  });
});
