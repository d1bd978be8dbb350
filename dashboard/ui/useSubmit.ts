import { useState } from 'preact/hooks';
import { ApiError } from '../api/callApi.ts';
import { notify } from './Toasts.tsx';

export interface Submission {
  readonly busy: boolean;
  readonly submit: (event: Event) => Promise<void>;
  /** What is wrong with a field of what was sent, by its path. */
  readonly faultOf: (field: string) => string | undefined;
  /** Why it was not done; shown by `FormFailure`. */
  readonly error: unknown;
}

/**
 * Sends a form, once at a time.
 * @param done What to tell after success
 */
export function useSubmit(send: () => Promise<unknown>, done?: string): Submission {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const faults = error instanceof ApiError ? error.faults : [];
  return {
    busy,
    error,
    faultOf: (field) => faults.find((fault) => `${fault.field}.`.startsWith(`${field}.`))?.message,
    async submit(event) {
      event.preventDefault();
      if (busy) return;
      setBusy(true);
      setError(undefined);
      try {
        await send();
        if (done !== undefined) notify('ok', done);
      } catch (thrown) {
        setError(thrown);
      } finally {
        setBusy(false);
      }
    },
  };
}
