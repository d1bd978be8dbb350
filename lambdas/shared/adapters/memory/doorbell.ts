import type { DoorbellName } from '../../../../contract/names.ts';
import type { Doorbell } from '../../ports.ts';

export interface MemoryDoorbell extends Doorbell {
  /**
   * What a ring runs. Runs of one name never overlap: rings during a run lead to exactly one more. A ring from before `on`
   * is answered by it.
   */
  on(name: DoorbellName, run: () => Promise<unknown>): void;
  /** Waits for the runs that are going on; later rings are not answered. */
  close(): Promise<void>;
}

export function memoryDoorbell(onError: (error: unknown) => void): MemoryDoorbell {
  const runs = new Map<DoorbellName, () => Promise<unknown>>();
  const rung = new Set<DoorbellName>();
  const running = new Map<DoorbellName, Promise<void>>();
  let closed = false;

  function answer(name: DoorbellName): void {
    const run = runs.get(name);
    if (!run || closed || running.has(name) || !rung.has(name)) return;
    const answered = (async () => {
      // In a turn of its own, as an asynchronous invoke is: the ringer never runs the worker's code.
      await new Promise(setImmediate);
      rung.delete(name);
      if (closed) return;
      await run();
    })()
      .catch(onError)
      .finally(() => {
        running.delete(name);
        answer(name);
      });
    running.set(name, answered);
  }

  return {
    async ring(name) {
      rung.add(name);
      answer(name);
    },
    on(name, run) {
      runs.set(name, run);
      answer(name);
    },
    async close() {
      closed = true;
      await Promise.all(running.values());
    },
  };
}
