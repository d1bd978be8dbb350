import { VerenError } from '../../../contract/errors.ts';
import type { ProjectDocument, Removed } from '../../../contract/project.ts';
import { type AdoptDeps, adoptProject } from './adoptProject.ts';

/**
 * The owner's project. Throws NOT_FOUND where there is none or it is another's, and PROJECT_DELETED where the owner has
 * deleted it.
 */
export type FindProject = (projectId: string, owner: string) => Promise<ProjectDocument>;

export function projectFinder(deps: AdoptDeps): FindProject {
  const { projects, store } = deps;
  return async (projectId, owner) => {
    const known = await projects.get(projectId);
    if (known?.owner === owner) return known;
    const notFound = new VerenError('NOT_FOUND', { what: `project "${projectId}"` });
    if (known) throw notFound;
    const gone = await projects.getDeleted(projectId);
    if (gone?.owner === owner && gone.deleted) {
      const { by, at, removed } = gone.deleted;
      throw new VerenError('PROJECT_DELETED', { projectId, by, at, removed: describeRemoved(removed) });
    }
    // A claim that outlived its project is worth nothing.
    if (gone || (await store.projectOwner(projectId)) !== owner) throw notFound;
    const adopted = await adoptProject(deps, { projectId, owner });
    if (!adopted) throw notFound;
    return adopted;
  };
}

/** Throws PROJECT_DELETING for a project that nobody may change any more. */
export function requireActive(project: ProjectDocument): ProjectDocument {
  if (project.deleting) throw new VerenError('PROJECT_DELETING', { projectId: project.projectId });
  return project;
}

/** What was removed, in words. */
export const describeRemoved = ({ deployments, objects, bytes, images, addresses }: Removed): string =>
  `${deployments} deployments, ${objects} objects (${bytes} bytes), ${images} images and ${addresses} addresses`;
