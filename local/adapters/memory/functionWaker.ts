import type { WakeableFunction } from '../../../contract/names.ts';
import type { FunctionWaker } from '../../../lambdas/shared/ports.ts';

export interface MemoryWaker extends FunctionWaker {
  /**
   * What a wake runs. At most `atOnce` runs of one name overlap (default: one); wakes while there are as many lead to
   * exactly one more. A wake from before `on` is answered by it.
   */
  on(name: WakeableFunction, run: () => Promise<unknown>, options?: { readonly atOnce?: number }): void;
  /** Waits for the runs that are going on; later wakes are not answered. */
  close(): Promise<void>;
}

export function memoryWaker(onError: (error: unknown) => void): MemoryWaker {
  const runs = new Map<WakeableFunction, { readonly run: () => Promise<unknown>; readonly atOnce: number }>();
  const wanted = new Set<WakeableFunction>();
  const running = new Map<WakeableFunction, Set<Promise<void>>>();
  /** Whose next run has not begun: it answers every wake until then. */
  const starting = new Set<WakeableFunction>();
  let closed = false;

  function answerRing(name: WakeableFunction): void {
    const found = runs.get(name);
    const going = running.get(name) ?? new Set();
    if (!found || closed || going.size >= found.atOnce || starting.has(name) || !wanted.has(name)) return;
    starting.add(name);
    const answered = (async () => {
      // In a turn of its own, as an asynchronous invoke is: the ringer never runs the worker's code.
      await new Promise(setImmediate);
      wanted.delete(name);
      starting.delete(name);
      if (closed) return;
      await found.run();
    })()
      .catch(onError)
      .finally(() => {
        going.delete(answered);
        answerRing(name);
      });
    going.add(answered);
    running.set(name, going);
  }

  return {
    async wake(name) {
      wanted.add(name);
      answerRing(name);
    },
    on(name, run, { atOnce = 1 } = {}) {
      runs.set(name, { run, atOnce });
      answerRing(name);
    },
    async close() {
      closed = true;
      await Promise.all([...running.values()].flatMap((going) => [...going]));
    },
  };
}
