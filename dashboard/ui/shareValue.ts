import { useEffect, useState } from 'preact/hooks';

/** A value outside of components that those who show it hear of. */
export interface Shared<T> {
  get(): T;
  set(value: T): void;
  /** @returns what ends the listening */
  listen(listener: (value: T) => void): () => void;
}

export function shareValue<T>(first: T): Shared<T> {
  let value = first;
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of listeners) listener(next);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

export function useShared<T>(shared: Shared<T>): T {
  const [value, setValue] = useState(shared.get);
  useEffect(() => {
    setValue(shared.get);
    return shared.listen((next) => setValue(() => next));
  }, [shared]);
  return value;
}
