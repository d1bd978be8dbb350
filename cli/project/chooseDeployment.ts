import { VerenError } from '../../contract/errors.ts';
import type { VerenClient } from '../client/VerenClient.ts';
import type { Shell } from '../shell.ts';
import { requireProject } from './chooseProject.ts';

/** The deployment that was named, or the newest of the project. Throws CLI_NO_PROJECT and CLI_NO_DEPLOYMENT. */
export async function chooseDeployment(
  shell: Shell,
  client: VerenClient,
  named: string | undefined,
  project: string | undefined,
): Promise<string> {
  if (named !== undefined) return named;
  const projectId = await requireProject(shell, project);
  const { items } = await client.listDeployments({ projectId, limit: 1 });
  const [newest] = items;
  if (!newest) throw new VerenError('CLI_NO_DEPLOYMENT', { projectId });
  return newest.deploymentId;
}
