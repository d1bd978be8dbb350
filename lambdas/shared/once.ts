/**
 * Makes something at first use and keeps it. A failure is not kept: the next use tries again, so that a function whose
 * start met a fault that passes is not broken for the rest of its life.
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
