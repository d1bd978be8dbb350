import { z } from 'zod';
import { s3Keys } from '../../contract/names.ts';
import { type Connected, ConnectedSchema, isSameConnection } from '../../lambdas/shared/gitHosts/gitState.ts';
import type { ProjectDocuments, ProjectIdentity } from '../../lambdas/shared/gitHosts/projectDocuments.ts';
import type { ListedRef } from '../../lambdas/shared/repo/listRefs.ts';

const SeenRefsSchema = z.object({
  v: z.literal(1),
  of: ConnectedSchema,
  /** Grows with every change that was told, so that a ref which goes back to an earlier commit is told once more. */
  round: z.int(),
  refs: z.array(z.object({ kind: z.enum(['branch', 'tag']), name: z.string(), commit: z.string() })),
});
export type SeenRefs = z.infer<typeof SeenRefsSchema>;

/** What a repository showed when it was looked at last; null where it never was, or the project had another one then. */
export async function readSeen(
  documents: ProjectDocuments,
  project: ProjectIdentity,
  of: Connected,
): Promise<SeenRefs | null> {
  const seen = await documents.read(project, s3Keys.gitWatch(project.projectId), SeenRefsSchema);
  return seen && isSameConnection(seen.of, of) ? seen : null;
}

export async function writeSeen(documents: ProjectDocuments, project: ProjectIdentity, seen: SeenRefs): Promise<void> {
  await documents.change<SeenRefs>(project, s3Keys.gitWatch(project.projectId), SeenRefsSchema, () => seen);
}

/** A ref that is another than before; `commit` is null where it is gone, `before` where it is new. */
export interface RefChange {
  readonly ref: Pick<ListedRef, 'kind' | 'name'>;
  readonly commit: string | null;
  readonly before: string | null;
}

const keyOf = ({ kind, name }: Pick<ListedRef, 'kind' | 'name'>) => `${kind} ${name}`;

/** New and moved refs in the order of the listing, then those that are gone. */
export function compareRefs(before: readonly ListedRef[], now: readonly ListedRef[]): RefChange[] {
  const known = new Map(before.map((ref) => [keyOf(ref), ref.commit]));
  const listed = new Set(now.map(keyOf));
  const moved = now.filter((ref) => known.get(keyOf(ref)) !== ref.commit);
  const gone = before.filter((ref) => !listed.has(keyOf(ref)));
  return [
    ...moved.map(({ kind, name, commit }) => ({
      ref: { kind, name },
      commit,
      before: known.get(keyOf({ kind, name })) ?? null,
    })),
    ...gone.map(({ kind, name, commit }) => ({ ref: { kind, name }, commit: null, before: commit })),
  ];
}

/** The refs as they are seen once these changes were told. */
export function applyChanges(before: readonly ListedRef[], changes: readonly RefChange[]): ListedRef[] {
  const refs = new Map(before.map((ref) => [keyOf(ref), ref]));
  for (const { ref, commit } of changes)
    if (commit === null) refs.delete(keyOf(ref));
    else refs.set(keyOf(ref), { ...ref, commit });
  return [...refs.values()];
}
