import { s3Keys } from '../../contract/names.ts';
import { keyRemover, type RemovedObjects, removePrefix } from '../shared/removeObjects.ts';
import type { SweepDeps } from './sweepDeps.ts';

/** Removes a deployment's files, log and record. Its image is removed with those of others. Safe to repeat. */
export async function removeDeployment(
  deps: SweepDeps,
  projectId: string,
  deploymentId: string,
): Promise<Pick<RemovedObjects, 'objects' | 'bytes'>> {
  const files = await removePrefix(deps, s3Keys.deployment(projectId, deploymentId));
  const known = (await deps.store.get(deploymentId))?.record ?? (await deps.archive.readRecord(deploymentId));
  // The name of a folder is no proof that the deployment is this project's.
  if (known && known.projectId !== projectId) return files;
  await deps.logs.remove(deploymentId);
  const archived = [s3Keys.record(deploymentId), s3Keys.events(deploymentId), s3Keys.log(deploymentId)];
  await keyRemover(deps.s3, deps.bucket)([...archived, s3Keys.archivedOf(projectId) + deploymentId]);
  // The store's entry goes last: by it the next run finds what is left to do.
  await deps.store.remove(deploymentId);
  return files;
}
