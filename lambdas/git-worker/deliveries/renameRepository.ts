import type { ProjectDocument } from '../../../contract/project.ts';
import { clearFault } from '../../shared/gitHosts/gitFault.ts';
import { type Connected, connectedWith, isSameConnection } from '../../shared/gitHosts/gitState.ts';
import { isSameRepository, urlOfSibling } from '../../shared/gitHosts/repositoryUrl.ts';
import type { GitWorkerDeps } from '../deps.ts';

/** Notes the new name of a project's repository in its settings. @returns the project as it is then */
export async function renameRepository(
  deps: GitWorkerDeps,
  project: ProjectDocument,
  from: Connected,
  to: string,
): Promise<ProjectDocument | null> {
  const { projectId } = project;
  const changed = await deps.projects.change(projectId, (before) => {
    const { settings } = before;
    const { connection, gitUrl } = settings;
    if (before.deleting || !connection || !isSameConnection(connectedWith(settings), from)) return before;
    const moved = gitUrl === undefined ? null : urlOfSibling(gitUrl, from.repository, to);
    return {
      ...before,
      settings: {
        ...settings,
        ...(moved !== null && { gitUrl: deps.normaliseGitUrl(moved) }),
        connection: { ...connection, repository: to },
      },
    };
  });
  const renamed = changed && connectedWith(changed.settings);
  // Another connection that was made meanwhile stays what it is.
  if (!renamed || !isSameRepository(renamed.repository, to)) return null;
  await deps.gitState.moveRepository(project, from, renamed);
  await clearFault(deps, projectId, ['GIT_REPOSITORY_REPLACED']);
  deps.log.info('The repository of a project was renamed', { projectId, from: from.repository, to });
  return changed;
}
