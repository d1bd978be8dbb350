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
