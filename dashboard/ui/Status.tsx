import type { DeploymentStatus } from '../../contract/statuses.ts';

const TEXTS: Readonly<Record<DeploymentStatus, { text: string; kind: string }>> = {
  queued: { text: 'Queued', kind: 'waiting' },
  analyzing: { text: 'Analyzing', kind: 'running' },
  building: { text: 'Building', kind: 'running' },
  succeeded: { text: 'Ready', kind: 'ok' },
  failed: { text: 'Failed', kind: 'bad' },
  canceled: { text: 'Canceled', kind: 'off' },
};

/** How a deployment stands: a dot and a word, never colour alone. */
export function Status({ of }: { readonly of: DeploymentStatus }) {
  const { text, kind } = TEXTS[of];
  return <Tag kind={kind as TagKind}>{text}</Tag>;
}

export type TagKind = 'waiting' | 'running' | 'ok' | 'bad' | 'warn' | 'off';

export function Tag({ kind, children }: { readonly kind: TagKind; readonly children: string }) {
  return (
    <span class={`tag tag-${kind}`}>
      <span class="dot" aria-hidden="true" />
      {children}
    </span>
  );
}
