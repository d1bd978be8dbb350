import type { DeploymentRecord } from '../../../contract/record.ts';
import { createDeployment } from '../deployments/createDeployment.ts';
import type { CreateDeps } from '../deployments/createDeps.ts';
import { isMarked } from '../projects/expiry.ts';
import { type GitTarget, gitKey, gitRequest } from './gitRequest.ts';

const PAGE = 100;

/**
 * Deploys a commit that its ref points at. Repeats give the deployment that there is, unless it is not the one that the
 * ref shows: another commit was deployed since, or its preview was closed, canceled or has expired. Then it is deployed
 * again, keyed by the deployment that it replaces.
 */
export async function deployCommit(
  deps: CreateDeps,
  owner: string,
  target: GitTarget,
  correlationId: string,
): Promise<DeploymentRecord> {
  const create = (again?: string) =>
    createDeployment(deps, owner, gitRequest(target), { key: gitKey(target, again), correlationId });
  const first = await create();
  // Of a ref that nobody could read, nobody knows what is newer.
  const newest = target.isUnseen ? first : await newestOfRef(deps, owner, target, first);
  const isReplaced = !target.isUnseen && isOfOther(newest, target);
  const mustRepeat = isReplaced || (await hasGone(deps, newest));
  const record = mustRepeat ? await create(newest.deploymentId) : newest;
  deps.log.info('A commit was deployed', { projectId: target.projectId, deploymentId: record.deploymentId });
  return record;
}

const isOfOther = ({ commit, trigger }: DeploymentRecord, target: GitTarget): boolean => {
  const named = commit ?? trigger?.commit;
  return named !== undefined && named !== target.commit;
};

/** It shows nothing, or soon will not, and no fault of its commit is why. */
async function hasGone({ projects }: CreateDeps, record: DeploymentRecord): Promise<boolean> {
  if (record.status === 'canceled' || record.expired) return true;
  const project = await projects.get(record.projectId);
  return project !== null && isMarked(project, record.deploymentId);
}

/** The newest deployment of the ref, down to the one that the commit had first. */
async function newestOfRef(
  { store }: CreateDeps,
  owner: string,
  { projectId, gitUrl, ref, environment }: GitTarget,
  first: DeploymentRecord,
): Promise<DeploymentRecord> {
  const isOfRef = (record: DeploymentRecord) =>
    record.gitUrl === gitUrl &&
    record.ref === ref.name &&
    (record.environment === undefined || environment === undefined || record.environment === environment);
  for (let cursor: string | undefined; ; ) {
    const page = await store.list({ owner, projectId, limit: PAGE, ...(cursor !== undefined && { cursor }) });
    for (const record of page.items) {
      if (record.deploymentId <= first.deploymentId) return first;
      if (isOfRef(record)) return record;
    }
    cursor = page.cursor;
    if (cursor === undefined) return first;
  }
}
