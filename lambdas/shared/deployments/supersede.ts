import { VerenError } from '../../../contract/errors.ts';
import { type DeploymentRecord, isTerminal } from '../../../contract/record.ts';
import { isSuperseded } from '../../domain/supersede.ts';
import { type CancelDeps, cancelDeployment } from './cancel.ts';
import type { CreateDeps } from './createDeps.ts';

/** How many of a project's newest deployments are looked at; older ones were superseded by one of these. */
const LOOK_BACK = 100;

/**
 * Cancels the older deployments of the same project, repository and ref that have not been built yet, since their
 * result would be replaced at once. A redeployment names a commit, not the branch, so it neither supersedes a push nor
 * is superseded by one. May be repeated at any time: a deployment never cancels a newer one, nor any after its own end.
 */
export async function supersedeOlder(
  deps: CancelDeps & Pick<CreateDeps, 'store' | 'supersede' | 'log'>,
  by: DeploymentRecord,
): Promise<void> {
  if (deps.supersede === 'off' || isTerminal(by.status)) return;
  const { owner, projectId, deploymentId } = by;
  const { items } = await deps.store.list({ owner, projectId, limit: LOOK_BACK });
  for (const older of items)
    if (isSuperseded(older, by, deps.supersede) && !(await isOfOtherLine(deps, older, by)))
      await cancelDeployment(deps, older, { reason: 'superseded', by: deploymentId }).catch((e) => {
        // The newer deployment is accepted even if this fails: the older one then runs to its end, and the newer stays
        // live.
        if (!(e instanceof VerenError && e.code === 'ALREADY_PUBLISHED'))
          deps.log.warn('An older deployment could not be superseded', {
            deploymentId: older.deploymentId,
            supersededBy: deploymentId,
            error: e,
          });
      });
}

/**
 * A branch and a tag may have one name, and only the request says which is meant before the analysis. What neither says
 * is taken for the same.
 */
async function isOfOtherLine(
  { store }: Pick<CreateDeps, 'store'>,
  older: DeploymentRecord,
  by: DeploymentRecord,
): Promise<boolean> {
  const [a, b] = await Promise.all([lineOf(store, older), lineOf(store, by)]);
  return differ(a.environment, b.environment) || differ(a.kind, b.kind);
}

const differ = (a: string | undefined, b: string | undefined) => a !== undefined && b !== undefined && a !== b;

async function lineOf(store: CreateDeps['store'], { deploymentId, environment, plan }: DeploymentRecord) {
  const request = (await store.get(deploymentId))?.request;
  const { branch, tag } = plan ?? request?.resolved ?? {};
  const kind = tag !== undefined ? 'tag' : branch !== undefined ? 'branch' : undefined;
  return { environment: environment ?? request?.environment, kind };
}
