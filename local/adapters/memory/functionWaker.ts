import type { WakeableFunction } from '../../../contract/names.ts';
import type { FunctionWaker } from '../../../lambdas/shared/ports.ts';

type WokenRun = (mayTakeMore: () => boolean) => Promise<unknown>;

export interface MemoryWaker extends FunctionWaker {
  /**
   * Sets the function that a wake runs. At most `atOnce` runs of one name overlap (default: one); wakes during that
   * time lead to exactly one more run. A wake before this call runs the function at once. The function is told whether it
   * may take more work.
   */
  on(name: WakeableFunction, run: WokenRun, options?: { readonly atOnce?: number }): void;
  /** Waits for the current runs, which may take no more work; later wakes are ignored. */
  close(): Promise<void>;
}

export function memoryWaker(onError: (error: unknown) => void): MemoryWaker {
  const runs = new Map<WakeableFunction, { readonly run: WokenRun; readonly atOnce: number }>();
  const wanted = new Set<WakeableFunction>();
  const running = new Map<WakeableFunction, Set<Promise<void>>>();
  /** Names with a run that has not begun yet, which answers every wake until then. */
  const starting = new Set<WakeableFunction>();
  let closed = false;

  function answerRing(name: WakeableFunction): void {
    const found = runs.get(name);
    const going = running.get(name) ?? new Set();
    if (!found || closed || going.size >= found.atOnce || starting.has(name) || !wanted.has(name)) return;
    starting.add(name);
    const answered = (async () => {
      // In a later turn of the event loop, like an asynchronous invocation, so that the caller never runs the worker's
      // code.
      await new Promise(setImmediate);
      wanted.delete(name);
      starting.delete(name);
      if (closed) return;
      await found.run(() => !closed);
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
