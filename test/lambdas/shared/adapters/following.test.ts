import type { LogLine } from '../../../../contract/events.ts';
import { Bells, followLines } from '../../../../lambdas/shared/adapters/following.ts';

const line = (seq: number): LogLine => ({ seq, at: '', target: 'frontend', stream: 'stdout', line: `${seq}` });

test.each([false, true])('a ring during a look that finds nothing leads to another look (wake: %s)', async (wake) => {
  const bells = new Bells();
  const bell = bells.join('d');
  const abort = new AbortController();
  let looks = 0;
  const lines = followLines(
    async (after) => {
      looks++;
      // It comes after this look has seen that there is nothing, and before the follower waits.
      if (looks === 1) bells.ring('d', wake);
      return looks > 1 && after === 0 ? [line(1)] : [];
    },
    0,
    bell,
    abort.signal,
  );
  const iterator = lines[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toEqual([line(1)]);
  abort.abort();
  expect((await iterator.next()).done).toBe(true);
});

test('a bell rings for those of its deployment, until they leave', async () => {
  const bells = new Bells();
  const [a, b] = [bells.join('d'), bells.join('d')];
  bells.ring('e', true);
  expect([a.answer(), b.answer()]).toEqual([false, false]);
  bells.ring('d', true);
  bells.ring('d', false);
  expect([a.answer(), a.answer(), b.answer()]).toEqual([true, false, true]);
  expect(bells.leave('d', a)).toBe(false);
  bells.ringAll(true);
  expect([a.answer(), b.answer()]).toEqual([false, true]);
  expect(bells.leave('d', b)).toBe(true);
});

test('followers that wait leave no listener behind on the signal', async () => {
  const bells = new Bells();
  const bell = bells.join('d');
  const abort = new AbortController();
  const added = jest.spyOn(abort.signal, 'addEventListener');
  const removed = jest.spyOn(abort.signal, 'removeEventListener');
  const follow = followLines(async () => [], 0, bell, abort.signal)[Symbol.asyncIterator]();
  for (let i = 0; i < 20; i++) {
    const next = follow.next();
    await new Promise(setImmediate);
    bells.ring('d', true);
    expect((await next).value).toEqual([]);
  }
  expect(added.mock.calls.length).toBe(20);
  expect(removed.mock.calls.length).toBe(20);
});
