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
  /** Whether a load is under way, and whether another one was asked for meanwhile. */
  const flight = useRef({ busy: false, again: false });

  useEffect(() => {
    if (key === null) return;
    const ending = new AbortController();
    const own = { busy: true, again: false };
    flight.current = own;
    const settle = (next: (before: Held<T>) => Held<T>) => {
      if (ending.signal.aborted) return;
      setHeld(next);
      own.busy = false;
      if (own.again) setRound((n) => n + 1);
    };
    latest.current(ending.signal).then(
      (value) => settle(() => ({ key, value, loaded: true })),
      (error: unknown) =>
        settle((before) =>
          before.key === key && before.loaded ? { ...before, error } : { key, error, loaded: false },
        ),
    );
    return () => ending.abort();
  }, [key, round]);

  // Waits for the load that is under way: changes that come faster than answers would otherwise end every one of them.
  const reload = useCallback(() => {
    if (flight.current.busy) flight.current.again = true;
    else setRound((n) => n + 1);
  }, []);
  // Somebody else may have changed it while the tab was in the background.
  useEffect(() => {
    const look = () => document.visibilityState === 'visible' && key !== null && reload();
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [key, reload]);
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
