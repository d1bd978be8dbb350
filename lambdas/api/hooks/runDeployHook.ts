import { VerenError } from '../../../contract/errors.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { createDeployment } from '../../shared/deployments/createDeployment.ts';
import { projectOfHook } from '../../shared/gitHosts/deployHooks.ts';
import { readGitToken } from '../../shared/gitHosts/readGitToken.ts';
import type { ApiDeps } from '../deps.ts';

/**
 * Deploys the branch of a deploy hook. Throws HOOK_REFUSED for a secret that is of none. What the site is made of besides
 * the repository may have changed, so it is built also where the commit has not.
 */
export async function runDeployHook(deps: ApiDeps, secret: string, correlationId: string): Promise<DeploymentRecord> {
  const named = projectOfHook(secret);
  const project = named === undefined ? null : await deps.projects.get(named);
  const hook = project && (await deps.deployHooks.find(project, secret));
  if (!project || !hook || project.deleting) throw new VerenError('HOOK_REFUSED');
  const { projectId, owner } = project;
  const { branch, name } = hook;
  const { connection, gitUrl } = project.settings;
  const { gitSecrets: secrets } = deps;
  // The App's token is made when the repository is read, so that an outage of GitHub refuses no call here.
  const isByToken = gitUrl !== undefined && !connection?.app;
  const gitToken = isByToken ? await readGitToken({ ...deps, secrets }, project, gitUrl) : undefined;
  const record = await createDeployment(
    deps,
    owner,
    {
      projectId,
      // The one that the token was read for, also where the settings change meanwhile.
      ...(gitUrl !== undefined && { gitUrl }),
      ...(branch !== undefined && { ref: branch }),
      ...(gitToken !== undefined && { gitToken }),
      force: true,
      trigger: {
        ...{ kind: 'deployHook', by: name },
        ...(connection && { host: connection.host, repository: connection.repository }),
      },
    },
    { correlationId },
  );
  const { deploymentId } = record;
  await deps
    .audit({ owner, by: `hook ${name}`, action: 'deployment.create', projectId, subject: deploymentId })
    .catch((error) => deps.log.warn('A change could not be noted in the audit list', { deploymentId, error }));
  return record;
}
