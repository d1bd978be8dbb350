import type { NoticeKind } from './Notice.tsx';
import { shareValue, useShared } from './shareValue.ts';

interface Toast {
  readonly id: number;
  readonly kind: NoticeKind;
  readonly text: string;
}

const SHOWN_MS = 6_000;
const toasts = shareValue<readonly Toast[]>([]);
let count = 0;

/** Tells what has happened, for some seconds; what is bad stays until it is closed. */
export function notify(kind: NoticeKind, text: string): void {
  const toast: Toast = { id: ++count, kind, text };
  toasts.set([...toasts.get().slice(-4), toast]);
  if (kind !== 'bad') setTimeout(() => closeToast(toast.id), SHOWN_MS);
}

const closeToast = (id: number) => toasts.set(toasts.get().filter((toast) => toast.id !== id));

/** Where they appear. It is there from the start, since screen readers read out only what changes in it. */
export function Toasts() {
  return (
    <div class="toasts" aria-live="polite">
      {useShared(toasts).map(({ id, kind, text }) => (
        <div key={id} class={`toast toast-${kind}`}>
          <span>{text}</span>
          <button
            type="button"
            class="button button-quiet"
            aria-label="Close this message"
            onClick={() => closeToast(id)}
          >
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
