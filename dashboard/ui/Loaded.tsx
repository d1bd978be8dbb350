import type { ComponentChildren } from 'preact';
import { Failed } from './Failed.tsx';
import type { Loadable } from './useLoadable.ts';

interface LoadedProps<T> {
  readonly of: Loadable<T>;
  /** What is loaded, for the sentence that is read out meanwhile: "the projects". */
  readonly what: string;
  readonly children: (value: T) => ComponentChildren;
}

/** A resource in its three states. Where loading again has failed, what was there stays, and a line says so. */
export function Loaded<T>({ of, what, children }: LoadedProps<T>) {
  if (of.state === 'loading') return <Loading what={what} />;
  if (of.state === 'failed') return <Failed what={what} error={of.error} retry={of.reload} />;
  return (
    <>
      {of.error !== undefined && <Failed what={what} error={of.error} retry={of.reload} stale />}
      {children(of.value)}
    </>
  );
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      Loading {what} …
    </p>
  );
}
