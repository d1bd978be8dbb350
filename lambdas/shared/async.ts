import { setTimeout as sleep } from 'node:timers/promises';

/** Runs `work` on every item, at most `limit` at once. The first failure ends it, once those under way have ended. */
export async function forEachParallel<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const runLane = async () => {
    for (let next = queue.next(); !next.done && !failure; next = queue.next())
      try {
        signal?.throwIfAborted();
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
  };
  await Promise.all(Array.from({ length: limit }, runLane));
  if (failure) throw failure.error;
}

/** What came of one try. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Does the work, again after each pause as long as what came of it passes by itself; gives or throws the last outcome.
 * @param pauses Milliseconds; as many as there are repeats.
 */
export async function repeatWork<T>(
  pauses: readonly number[],
  work: () => Promise<T>,
  passes: (outcome: Outcome<T>) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  for (let tried = 0; ; tried++) {
    const outcome: Outcome<T> = await work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    const pause = pauses[tried];
    if (pause === undefined || !passes(outcome)) {
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    }
    await sleep(pause, undefined, { signal });
  }
}
