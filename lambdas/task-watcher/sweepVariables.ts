import { s3Keys } from '../../contract/names.ts';
import type { ProjectDocument } from '../../contract/project.ts';
import type { DeploymentRecord } from '../../contract/record.ts';
import { forEachParallel } from '../shared/async.ts';
import { listFolders } from '../shared/listObjects.ts';
import type { SweepDeps } from './sweepDeps.ts';

const PAGE = 100;
/** Records of the archive that are read at once. */
const AT_ONCE = 16;

/**
 * Removes versions of a project's variables that no deployment needs any more. Those of a deployment that waits, runs or
 * can be released stay: it is in the store, or its files are in the bucket.
 * @returns The versions that were removed.
 */
export async function sweepVariables(
  deps: SweepDeps,
  project: ProjectDocument,
  mayGoOn: () => boolean,
): Promise<number[]> {
  const { projectId } = project;
  const removed = await deps.variables.sweep(projectId, () => findVersionsInUse(deps, project, mayGoOn));
  if (removed.length > 0)
    deps.log.info('Versions of variables that nothing needs were removed', { projectId, removed });
  return removed;
}

/** Null where the time of the run was over before all deployments were looked at. */
async function findVersionsInUse(
  { store, archive, s3, bucket }: SweepDeps,
  { owner, projectId, releases, nextRelease }: ProjectDocument,
  mayGoOn: () => boolean,
): Promise<ReadonlySet<number> | null> {
  // Those of releases that may be gone back to: a deployment may have been released with later variables than its own.
  const released = [...releases, ...(nextRelease ? [nextRelease] : [])];
  const inUse = new Set(released.flatMap(({ variables }) => variables?.version ?? []));
  const seen = new Set<string>();
  const note = (record: Pick<DeploymentRecord, 'variables' | 'expired'> | null) => {
    if (record?.variables && !record.expired) inUse.add(record.variables.version);
  };
  let cursor: string | undefined;
  do {
    if (!mayGoOn()) return null;
    const page = await store.list({ owner, projectId, limit: PAGE, ...(cursor !== undefined && { cursor }) });
    for (const record of page.items) {
      seen.add(record.deploymentId);
      note(record);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  // The store forgets records that are older than those of the archive.
  const forgotten: string[] = [];
  for await (const id of listFolders(s3, bucket, s3Keys.deployments(projectId))) if (!seen.has(id)) forgotten.push(id);
  let isWhole = true;
  await forEachParallel(forgotten, AT_ONCE, async (id) => {
    if (mayGoOn()) note(await archive.readRecord(id));
    else isWhole = false;
  });
  return isWhole ? inUse : null;
}
