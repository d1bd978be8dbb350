import { z } from 'zod';
import { s3Keys } from '../../../contract/names.ts';
import type { S3Calls } from '../adapters/aws/clients.ts';
import { openDocuments } from '../documents.ts';
import { listObjects } from '../listObjects.ts';
import type { Clock } from '../ports.ts';
import type { ProjectStore } from '../projects/projectStore.ts';

export interface StorageUse {
  readonly bytes: number;
  /** Projects that have not been counted yet, since counting them all would take too long for one request. */
  readonly uncounted: number;
}

/**
 * What the projects of an owner take in the bucket.
 * @param maxAgeMs How old the count of a project may be. Default: an hour.
 */
export type MeasureStorage = (owner: string, maxAgeMs?: number) => Promise<StorageUse>;

const RECOUNT_MS = 3_600_000;
/** How long one request may count. What is left is counted by the next. */
const COUNT_MS = 2_000;

const UseDocumentSchema = z.object({
  v: z.literal(1),
  projects: z.array(z.object({ projectId: z.string(), bytes: z.number(), at: z.number() })),
});
type ProjectUse = z.infer<typeof UseDocumentSchema>['projects'][number];

export function measureStorage(deps: {
  readonly s3: S3Calls;
  readonly bucket: string;
  readonly clock: Clock;
  readonly projects: Pick<ProjectStore, 'list'>;
}): MeasureStorage {
  const { s3, bucket, clock, projects } = deps;
  const documents = openDocuments(s3, bucket);

  const countProject = async (projectId: string): Promise<number> => {
    let bytes = 0;
    const sites = [s3Keys.site(projectId), s3Keys.deployments(projectId)];
    const own = [s3Keys.caches(projectId), s3Keys.variables(projectId), s3Keys.builds(projectId)];
    const prefixes = [...sites, ...own, s3Keys.uploads(projectId)];
    for (const prefix of prefixes) for await (const { Size = 0 } of listObjects(s3, bucket, prefix)) bytes += Size;
    return bytes;
  };

  return async (owner, maxAgeMs = RECOUNT_MS) => {
    const key = s3Keys.ownerStorage(owner);
    const stored = await documents.read(key, UseDocumentSchema);
    const ids = await projects.list(owner);
    const known = new Map((stored?.projects ?? []).map((p) => [p.projectId, p]));
    const start = clock.now();
    const isRecent = ({ at }: ProjectUse) => at <= start && start - at < maxAgeMs;
    // Those that were never counted first, then the oldest.
    const stale = ids
      .filter((id) => !known.has(id) || !isRecent(known.get(id)!))
      .toSorted((a, b) => (known.get(a)?.at ?? 0) - (known.get(b)?.at ?? 0));
    const counted: ProjectUse[] = [];
    for (const projectId of stale) {
      if (counted.length > 0 && clock.now() - start >= COUNT_MS) break;
      counted.push({ projectId, bytes: await countProject(projectId), at: start });
    }
    for (const use of counted) known.set(use.projectId, use);
    const now = ids.flatMap((id) => known.get(id) ?? []);
    // Keeping a count spares the next caller the counting; on a full disk it is still what the caller asked for.
    if (counted.length > 0)
      await documents.change(key, UseDocumentSchema, () => ({ v: 1, projects: now })).catch(() => undefined);
    return { bytes: now.reduce((sum, p) => sum + p.bytes, 0), uncounted: ids.length - now.length };
  };
}
