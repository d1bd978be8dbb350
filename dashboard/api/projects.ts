import type { ProjectView } from '../../contract/project.ts';
import type { ReleaseHistory } from '../../contract/releases.ts';
import { callApi, pathOf } from './callApi.ts';

export interface ProjectPage {
  readonly items: ProjectView[];
  readonly cursor?: string;
}

/** One page, by name. */
export const listProjects = (query: { limit?: number; cursor?: string } = {}, signal?: AbortSignal) =>
  callApi<ProjectPage>('GET', '/projects', { query, ...(signal && { signal }) });

export const getProject = (projectId: string, signal?: AbortSignal) =>
  callApi<ProjectView>('GET', pathOf('projects', projectId), signal ? { signal } : {});

export const getReleases = (projectId: string, signal?: AbortSignal) =>
  callApi<ReleaseHistory>('GET', pathOf('projects', projectId, 'releases'), signal ? { signal } : {});

/** Without a deployment, to what was released before. */
export const rollback = (projectId: string, request: { deploymentId?: string; reason?: string } = {}) =>
  callApi<ReleaseHistory>('POST', pathOf('projects', projectId, 'rollback'), { body: request });

/** While it is pinned, no successful deployment is released by itself. */
export const pinProject = (projectId: string, pinned: boolean) =>
  callApi<ReleaseHistory>('POST', pathOf('projects', projectId, pinned ? 'pin' : 'unpin'), { body: {} });
