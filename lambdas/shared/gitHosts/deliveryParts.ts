import { type GitDelivery, GitDeliverySchema } from '../../../contract/gitHosts.ts';

type PushedRef = Extract<GitDelivery, { kind: 'push' }>['ref'];

/** Nothing follows from the delivery. */
export const nothing = (reason: string): GitDelivery => ({ kind: 'nothing', reason: reason.slice(0, 300) });

/** What an adapter has read, where every field of it can be used. */
export function checkDelivery(read: unknown): GitDelivery {
  const checked = GitDeliverySchema.safeParse(read);
  return checked.success ? checked.data : nothing('It holds a name, a commit or an address that cannot be used.');
}

/** The id of a commit; null for the zeros that stand for none. */
export const commitOrNull = (id: string | null | undefined): string | null => (!id || /^0+$/.test(id) ? null : id);

/** A full name of a ref, as in `refs/heads/main`; null where it is neither a branch nor a tag. */
export function readRefName(name: string): PushedRef | null {
  const [, folder, short] = /^refs\/(heads|tags)\/(.+)$/s.exec(name) ?? [];
  return short === undefined ? null : { kind: folder === 'tags' ? 'tag' : 'branch', name: short };
}

/** Text that is only looked through, and may be of any length. */
export const cutText = (text: string | null | undefined, max: number): string | undefined =>
  text ? text.slice(0, max) : undefined;

export const MAX_MESSAGE = 10_000;
export const MAX_TITLE = 1_000;
