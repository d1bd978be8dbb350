import { VerenError } from '../../contract/errors.ts';
import { uploadIdOf } from '../../contract/uploads.ts';
import { ProblemError } from '../client/errors.ts';
import type { CommandContext } from '../commandContext.ts';
import { isSameRepository } from '../git/remoteUrl.ts';
import { checkProjectName } from '../project/chooseProject.ts';
import { readLink } from '../project/linkFile.ts';
import { projectNameFrom } from '../project/projectName.ts';
import { tellUser } from '../shell.ts';
import type { Source } from './chooseSource.ts';

/**
 * The project to deploy to: the one that was named, else the folder's link, else one called after the repository. The
 * last is taken only where it is new or deploys this very repository, so that nothing is deployed over another's site.
 * Throws CLI_NO_PROJECT. @returns `isFound`: neither named nor linked
 */
export async function nameProject(
  { shell, client }: CommandContext,
  { name, gitUrl, folder }: Source,
  named: string | undefined,
): Promise<{ readonly projectId: string; readonly isFound: boolean }> {
  if (named !== undefined) return { projectId: checkProjectName(named), isFound: false };
  const linked = folder === undefined ? undefined : await readLink(shell, folder);
  if (linked !== undefined) return { projectId: linked, isFound: false };
  const projectId = projectNameFrom(name);
  if (projectId === '') throw new VerenError('CLI_NO_PROJECT', { reason: 'no name can be made of its name.' });
  const known = await client.getProject(projectId).catch((error: unknown) => {
    if (error instanceof ProblemError && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  });
  const before =
    known && (known.settings.gitUrl ?? (await client.listDeployments({ projectId, limit: 1 })).items[0]?.gitUrl);
  if (known && (gitUrl === undefined || before === undefined || !isSameRepository(before, gitUrl))) {
    const reason = `there is a project "${projectId}", which deploys ${before === undefined || uploadIdOf(before) ? 'something else' : before}.`;
    throw new VerenError('CLI_NO_PROJECT', { reason });
  }
  if (!known)
    tellUser(shell, `New project "${projectId}", called after the ${gitUrl === undefined ? 'folder' : 'repository'}.`);
  return { projectId, isFound: true };
}
