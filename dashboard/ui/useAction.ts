import { useState } from 'preact/hooks';
import { messageOf } from '../api/callApi.ts';
import { notify } from './Toasts.tsx';

/**
 * Something that a button does: says whether it is under way, and tells how it ended. A second click meanwhile does
 * nothing.
 * @param done What to tell after success; nothing where it is absent
 */
export function useAction<A extends unknown[]>(
  act: (...args: A) => Promise<unknown>,
  done?: string,
): { readonly busy: boolean; readonly run: (...args: A) => Promise<void> } {
  const [busy, setBusy] = useState(false);
  const run = async (...args: A) => {
    if (busy) return;
    setBusy(true);
    try {
      const result = await act(...args);
      if (done !== undefined && result !== false) notify('ok', done);
    } catch (error) {
      notify('bad', messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, run };
}
