import type { DoorbellName } from '../../../contract/names.ts';
import type { Doorbell } from '../../../lambdas/shared/ports.ts';

export interface MemoryDoorbell extends Doorbell {
  /**
   * What a ring runs. At most `atOnce` runs of one name overlap (default: one); rings while there are as many lead to
   * exactly one more. A ring from before `on` is answered by it.
   */
  on(name: DoorbellName, run: () => Promise<unknown>, options?: { readonly atOnce?: number }): void;
  /** Waits for the runs that are going on; later rings are not answered. */
  close(): Promise<void>;
}

export function memoryDoorbell(onError: (error: unknown) => void): MemoryDoorbell {
  const runs = new Map<DoorbellName, { readonly run: () => Promise<unknown>; readonly atOnce: number }>();
  const rung = new Set<DoorbellName>();
  const running = new Map<DoorbellName, Set<Promise<void>>>();
  /** Whose next run has not begun: it answers every ring until then. */
  const starting = new Set<DoorbellName>();
  let closed = false;

  function answer(name: DoorbellName): void {
    const found = runs.get(name);
    const going = running.get(name) ?? new Set();
    if (!found || closed || going.size >= found.atOnce || starting.has(name) || !rung.has(name)) return;
    starting.add(name);
    const answered = (async () => {
      // In a turn of its own, as an asynchronous invoke is: the ringer never runs the worker's code.
      await new Promise(setImmediate);
      rung.delete(name);
      starting.delete(name);
      if (closed) return;
      await found.run();
    })()
      .catch(onError)
      .finally(() => {
        going.delete(answered);
        answer(name);
      });
    going.add(answered);
    running.set(name, going);
  }

  return {
    async ring(name) {
      rung.add(name);
      answer(name);
    },
    on(name, run, { atOnce = 1 } = {}) {
      runs.set(name, { run, atOnce });
      answer(name);
    },
    async close() {
      closed = true;
      await Promise.all([...running.values()].flatMap((going) => [...going]));
    },
  };
}
