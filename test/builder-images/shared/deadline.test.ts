import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { runWithin } from '../../../builder-images/shared/deadline.ts';

const never = () => new Promise<void>(() => undefined);

describe('work after the result has been told', () => {
  test('that listens to nothing is given up after its time', async () => {
    await expect(runWithin(50, new AbortController().signal, never)).rejects.toThrow('it took longer than 0.05 s');
  });

  test('has its time also when memory is collected meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const ended = expect(runWithin(300, new AbortController().signal, never)).rejects.toThrow(
      'it took longer than 0.3 s',
    );
    for (let i = 0; i < 5; i++) {
      collect();
      await sleep(10);
    }
    await ended;
  });

  test('hears of its end by its signal', async () => {
    let heard: AbortSignal | undefined;
    await expect(
      runWithin(50, new AbortController().signal, (signal) => {
        heard = signal;
        return never();
      }),
    ).rejects.toThrow();
    expect(heard!.aborted).toBe(true);
  });

  test.each([
    ['before it has begun', 0],
    ['in the middle', 20],
  ])('is given up when the task is stopped %s', async (_, ms) => {
    const task = new AbortController();
    if (ms === 0) task.abort();
    else void sleep(ms).then(() => task.abort());
    await expect(runWithin(60_000, task.signal, never)).rejects.toThrow('the task was stopped');
  });

  test('that ends in time is neither stopped nor hidden', async () => {
    await runWithin(1_000, new AbortController().signal, () => sleep(1));
    const failing = runWithin(1_000, new AbortController().signal, () => Promise.reject(new Error('no space')));
    await expect(failing).rejects.toThrow('no space');
  });
});
