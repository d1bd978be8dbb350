/**
 * Makes something at first use and keeps it. A failure is not kept: the next use tries again, so that a passing fault
 * at a function's start does not last as long as its process.
 */
export function lazyAsync<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((e) => {
      made = undefined;
      throw e;
    });
    return made;
  };
}
