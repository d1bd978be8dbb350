import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { LaneSchema } from '../../../contract/lanes.ts';
import type { Objects } from '../object-calls.ts';

/**
 * The caches of a project and lane: archives below `__cache/{project}/{lane}/` and one index that names them. A build's
 * credentials reach that prefix and no other, so a cache crosses neither projects nor lanes.
 */
export const KINDS = ['install', 'frameworks', 'store', 'layers'] as const;
/**
 * `install`: what a finished install command left. `frameworks`: folders that build tools keep for their next run.
 * `store`: the package manager's downloads. `layers`: the backend's, up to its installed dependencies.
 */
export type Kind = (typeof KINDS)[number];

/** A path that stays inside of the work folder, since a build may have written the index. */
const root = z
  .string()
  .regex(/^(?:source|home|cache|layers)\/[^\0]+$/)
  .refine((path) => !path.split('/').includes('..'));

const EntrySchema = z.object({
  /** Hash of everything that the content depends on (`inputs.ts`). */
  key: z.string(),
  object: z.string(),
  sha256: z.string(),
  size: z.number().int(),
  /** Folders and files in it that are put in place as a whole, relative to the work folder as all its paths are. */
  roots: z.array(root),
  /** The deployment whose build made it. */
  from: z.object({ deploymentId: z.string().regex(/^[a-z0-9]{1,40}$/), lane: LaneSchema }),
});
export type Entry = z.infer<typeof EntrySchema>;

const IndexSchema = z.object({
  v: z.literal(2),
  /** Changes with every drop, so that a build which began with dropped caches does not write them back. */
  generation: z.string().min(1),
  entries: z.partialRecord(z.enum(KINDS), EntrySchema),
});
export type Index = z.infer<typeof IndexSchema>;

const indexKey = (prefix: string) => `${prefix}index.json`;

/** An index that cannot be read counts as empty and is replaced at the next save. */
export async function readIndex(
  objects: Objects,
  prefix: string,
): Promise<{ index: Index | null; etag: string | null }> {
  const found = await objects.get(indexKey(prefix));
  if (!found) return { index: null, etag: null };
  try {
    return { index: IndexSchema.parse(JSON.parse(found.body.toString())), etag: found.etag };
  } catch {
    return { index: null, etag: found.etag };
  }
}

const CONFLICTS = 5;

/**
 * Sets or removes (null) entries, and removes the archives that no entry names any more. The last save wins; one that
 * began with caches which were dropped meanwhile changes nothing.
 */
export async function changeIndex(
  objects: Objects,
  prefix: string,
  begunWith: Index | null,
  change: Partial<Record<Kind, Entry | null>>,
): Promise<void> {
  for (let attempt = 0; attempt < CONFLICTS; attempt++) {
    const { index, etag } = await readIndex(objects, prefix);
    if (begunWith && index?.generation !== begunWith.generation) break;
    const entries = { ...index?.entries };
    const gone: string[] = [];
    for (const kind of KINDS) {
      const wanted = change[kind];
      if (wanted === undefined) continue;
      const before = entries[kind];
      if (before && before.object !== wanted?.object) gone.push(before.object);
      if (wanted === null) delete entries[kind];
      else entries[kind] = wanted;
    }
    const generation = index?.generation ?? randomUUID();
    const body = JSON.stringify({ v: 2, generation, entries } satisfies Index);
    if ((await objects.putIf(indexKey(prefix), body, etag)) === null) continue;
    if (gone.length > 0) await objects.remove(gone);
    return;
  }
  const unused = Object.values(change).flatMap((entry) => (entry ? [entry.object] : []));
  if (unused.length > 0) await objects.remove(unused);
}

/**
 * Drops every cache of the lane, once for a deployment: its other target or a later attempt does not drop them again.
 * @returns the index that the build begins with
 */
export async function dropIndex(objects: Objects, prefix: string, deploymentId: string): Promise<Index> {
  const generation = `dropped-by-${deploymentId}`;
  for (let attempt = 0; attempt < CONFLICTS; attempt++) {
    const { index, etag } = await readIndex(objects, prefix);
    if (index?.generation === generation) return index;
    const empty: Index = { v: 2, generation, entries: {} };
    if ((await objects.putIf(indexKey(prefix), JSON.stringify(empty), etag)) === null) continue;
    const left = (await objects.list(prefix)).filter((key) => key !== indexKey(prefix));
    if (left.length > 0) await objects.remove(left);
    return empty;
  }
  throw new Error('the caches are being written by too many builds at once');
}
