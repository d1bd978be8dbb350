import type { ComponentChildren } from 'preact';

export type NoticeKind = 'info' | 'ok' | 'warn' | 'bad';

interface NoticeProps {
  readonly kind: NoticeKind;
  readonly title?: string;
  readonly children?: ComponentChildren;
}

/** A box that says something; what is bad is read out at once. */
export function Notice({ kind, title, children }: NoticeProps) {
  return (
    <div class={`notice notice-${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      {title && <p class="notice-title">{title}</p>}
      {children}
    </div>
  );
}
