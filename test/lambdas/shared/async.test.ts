import { forEachParallel, repeatWork } from '../../../lambdas/shared/async.ts';

test('at most so many at once, and the first failure is told when those under way have ended', async () => {
  let running = 0;
  let most = 0;
  const ended: number[] = [];
  const work = async (n: number) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, n === 1 ? 20 : 1));
    running--;
    ended.push(n);
    if (n === 2) throw new Error('the second failed');
  };
  await expect(forEachParallel([1, 2, 3, 4, 5, 6], 2, work)).rejects.toThrow('the second failed');
  expect(most).toBe(2);
  expect(running).toBe(0);
  expect(ended).toEqual([2, 1]);
});

test('work is repeated as long as its outcome passes by itself, once for each pause', async () => {
  let tries = 0;
  const fails = async () => {
    throw new Error(`try ${++tries}`);
  };
  await expect(repeatWork([1, 1], fails, () => true)).rejects.toThrow('try 3');
  await expect(repeatWork([1, 1], fails, () => false)).rejects.toThrow('try 4');
  const answers = [503, 503, 200];
  const answer = async () => answers.shift();
  expect(await repeatWork([1, 1, 1], answer, (outcome) => 'value' in outcome && outcome.value === 503)).toBe(200);
});

test('a signal ends the wait for the next try', async () => {
  const stop = AbortSignal.timeout(10);
  const fails = async () => {
    throw new Error('away');
  };
  await expect(repeatWork([60_000], fails, () => true, stop)).rejects.toThrow('aborted');
});
