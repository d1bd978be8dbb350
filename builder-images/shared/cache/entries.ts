import { z } from 'zod';
import { s3Keys } from '../../../contract/names.ts';
import type { Objects } from '../objects.ts';

/**
 * The caches of a project: archives below `__cache/{project}/` and one index that names them. A build's credentials reach
 * the prefix of its own project and no other, so a cache cannot cross projects.
 */
export const KINDS = ['install', 'frameworks', 'store', 'layers'] as const;
/**
 * `install`: what a finished install command left. `frameworks`: folders that build tools keep for their next run.
 * `store`: the package manager's downloads. `layers`: the backend's, up to its installed dependencies.
 */
export type Kind = (typeof KINDS)[number];

/** Inside of the work folder, whoever wrote it. */
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
});
export type Entry = z.infer<typeof EntrySchema>;

const IndexSchema = z.object({ v: z.literal(1), entries: z.partialRecord(z.enum(KINDS), EntrySchema) });
export type Index = z.infer<typeof IndexSchema>;

const indexKey = (projectId: string) => `${s3Keys.cache(projectId)}index.json`;

/** What is not readable is no cache: it is replaced at the next save. */
export async function readIndex(objects: Objects, projectId: string): Promise<{ index: Index; etag: string | null }> {
  const found = await objects.get(indexKey(projectId));
  const empty: Index = { v: 1, entries: {} };
  if (!found) return { index: empty, etag: null };
  try {
    return { index: IndexSchema.parse(JSON.parse(found.body.toString())), etag: found.etag };
  } catch {
    return { index: empty, etag: found.etag };
  }
}

/** Sets or removes (null) entries, and removes the archives that no entry names any more. The last save wins. */
export async function changeIndex(
  objects: Objects,
  projectId: string,
  change: Partial<Record<Kind, Entry | null>>,
): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const { index, etag } = await readIndex(objects, projectId);
    const entries = { ...index.entries };
    const gone: string[] = [];
    for (const kind of KINDS) {
      const wanted = change[kind];
      if (wanted === undefined) continue;
      const before = entries[kind];
      if (before && before.object !== wanted?.object) gone.push(before.object);
      if (wanted === null) delete entries[kind];
      else entries[kind] = wanted;
    }
    const body = JSON.stringify({ v: 1, entries } satisfies Index);
    if ((await objects.putIf(indexKey(projectId), body, etag)) === null) continue;
    if (gone.length > 0) await objects.remove(gone);
    return;
  }
}
