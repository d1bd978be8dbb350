import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** Something that is loaded: not there yet, there, or not to be had. What was loaded stays while it is loaded again. */
export type Loadable<T> = {
  /** Loads it again; what is there stays meanwhile. */
  readonly reload: () => void;
  /** Puts another value in its place, e.g. the answer of a change. */
  readonly replace: (change: T | ((value: T) => T)) => void;
} & (
  | { readonly state: 'loading'; readonly value?: undefined; readonly error?: undefined }
  | { readonly state: 'loaded'; readonly value: T; readonly error: unknown }
  | { readonly state: 'failed'; readonly value?: undefined; readonly error: unknown }
);

type Held<T> = { key: string; value?: T; error?: unknown; loaded: boolean };

/**
 * Loads something for as long as the component is shown, anew whenever `key` changes.
 * @param key Names what is loaded, e.g. `project/shop`; null loads nothing yet.
 */
export function useLoadable<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loadable<T> {
  const [held, setHeld] = useState<Held<T>>({ key: '', loaded: false });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    if (key === null) return;
    const ending = new AbortController();
    latest.current(ending.signal).then(
      (value) => {
        if (!ending.signal.aborted) setHeld({ key, value, loaded: true });
      },
      (error: unknown) => {
        if (!ending.signal.aborted)
          setHeld((before) =>
            before.key === key && before.loaded ? { ...before, error } : { key, error, loaded: false },
          );
      },
    );
    return () => ending.abort();
  }, [key, round]);

  const reload = useCallback(() => setRound((n) => n + 1), []);
  const replace = useCallback(
    (change: T | ((value: T) => T)) =>
      setHeld((before) => {
        const isChange = typeof change === 'function';
        if (isChange && !before.loaded) return before;
        const value = isChange ? (change as (value: T) => T)(before.value as T) : change;
        return { key: before.key, value, loaded: true };
      }),
    [],
  );
  if (held.key !== key) return { state: 'loading', reload, replace };
  if (held.loaded) return { state: 'loaded', value: held.value as T, error: held.error, reload, replace };
  return { state: 'failed', error: held.error, reload, replace };
}
