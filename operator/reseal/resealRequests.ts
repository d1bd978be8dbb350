import type { StoredRequest } from '../../contract/jobs.ts';
import { QUEUES } from '../../contract/names.ts';
import { hasPlan } from '../../lambdas/domain/cloneJob.ts';
import type { DeploymentStore, JobQueue } from '../../lambdas/shared/ports.ts';
import { openRequest, sealRequest } from '../../lambdas/shared/sealedRequest.ts';
import { isSealedWith, type SecretBox } from '../../lambdas/shared/secretBox.ts';

const PAGE = 100;

/**
 * Seals git tokens and variables of stored requests anew, by which deployments are deployed again; those that an earlier
 * version has stored in clear text, too. Safe to repeat.
 * @returns How many requests were sealed.
 */
export async function resealRequests(store: DeploymentStore, box: SecretBox, currentKey: string): Promise<number> {
  let count = 0;
  for await (const deploymentId of listDeployments(store)) {
    const request = (await store.get(deploymentId))?.request;
    if (!request || !needsSealing(request, currentKey)) continue;
    const { variables } = request;
    const sealed = await sealRequest(box, deploymentId, await openRequest(box, deploymentId, request));
    const anew: StoredRequest = { ...sealed, ...(variables !== undefined && { variables }) };
    if (await store.replaceRequest(deploymentId, anew)) count++;
  }
  return count;
}

/** An earlier version has stored git tokens and variables in clear text. */
const needsSealing = ({ sealed, gitToken, env }: StoredRequest, currentKey: string): boolean =>
  sealed === undefined ? gitToken !== undefined || env !== undefined : !isSealedWith(sealed, currentKey);

/** Jobs that wait or run with what an earlier key has sealed. They end by themselves. */
export async function countJobsOfEarlierKeys(queue: JobQueue, currentKey: string): Promise<number> {
  let count = 0;
  for (const name of [QUEUES.clone, QUEUES.build])
    for (const state of ['waiting', 'active'] as const)
      for (const { data, notes } of await queue.list(name, state)) {
        const sealed = sealedOf(data);
        // What was decided is only published again, and read from the note.
        if (name === QUEUES.clone && hasPlan({ notes })) continue;
        if (sealed !== undefined && !isSealedWith(sealed, currentKey)) count++;
      }
  return count;
}

/** A clone job has its request, a build job the sealed text itself. */
function sealedOf(data: unknown): string | undefined {
  const { sealed, request } = data as { sealed?: string; request?: { sealed?: string } };
  return sealed ?? request?.sealed;
}

/** Ids of all deployments that are stored, project by project. */
async function* listDeployments(store: DeploymentStore): AsyncGenerator<string> {
  for (const { projectId, owner } of await store.claims())
    for (let cursor: string | undefined; ; ) {
      const page = await store.list({ owner, projectId, limit: PAGE, ...(cursor !== undefined && { cursor }) });
      for (const { deploymentId } of page.items) yield deploymentId;
      if (page.cursor === undefined) break;
      cursor = page.cursor;
    }
}
