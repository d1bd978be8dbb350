import type { ProjectCosts } from '../../contract/cost.ts';
import { callApi, pathOf } from './callApi.ts';

/** Of the present month. */
export const getCosts = (projectId: string, signal?: AbortSignal) =>
  callApi<ProjectCosts>('GET', pathOf('projects', projectId, 'costs'), signal ? { signal } : {});
