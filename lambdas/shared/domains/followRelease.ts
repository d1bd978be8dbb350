import { isDeepStrictEqual } from 'node:util';
import { DomainDocumentSchema } from '../../../contract/domains.ts';
import { s3Keys } from '../../../contract/names.ts';
import type { ProjectDocument } from '../../../contract/project.ts';
import type { Documents } from '../documents.ts';
import type { Sites } from '../ports.ts';
import type { ProjectStore } from '../projects/projectStore.ts';

export interface DomainFollowDeps {
  readonly documents: Pick<Documents, 'read'>;
  readonly projects: Pick<ProjectStore, 'get'>;
  readonly sites: Sites;
}

/**
 * The domains at which a project's production is shown, for whoever writes routes: those that it still has by their own
 * documents, since another project may have taken one over.
 */
export const shownDomains =
  (documents: Pick<Documents, 'read'>) =>
  async (project: ProjectDocument): Promise<string[]> => {
    const isShown = async (name: string) => {
      const holder = (await documents.read(s3Keys.domain(name), DomainDocumentSchema))?.holder;
      return holder?.projectId === project.projectId && holder.owner === project.owner && holder.proved;
    };
    const names = project.domains ?? [];
    const shown = await Promise.all(names.map(isShown));
    return names.filter((_, i) => shown[i]);
  };

/** Releases that may come while a route is copied; each of them needs one more look at most. */
const MAX_LOOKS = 20;

/** Makes a project's domains show what its label shows, which is production. Safe to repeat. */
export async function showAtDomains(
  deps: DomainFollowDeps,
  { projectId }: Pick<ProjectDocument, 'projectId'>,
): Promise<void> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const route = await deps.sites.find(projectId);
    const project = await deps.projects.get(projectId);
    if (!route || !project) return;
    const names = await shownDomains(deps.documents)(project);
    if (names.length > 0) await deps.sites.point(names.map((host) => ({ host, route })));
    if (isDeepStrictEqual(await deps.sites.find(projectId), route)) return;
  }
}
