import type { SetVariables, VariableList } from '../../contract/project-variables.ts';
import type { ReleaseHistory } from '../../contract/releases.ts';
import { callApi, pathOf } from './callApi.ts';

export const listVariables = (projectId: string, signal?: AbortSignal) =>
  callApi<VariableList>('GET', pathOf('projects', projectId, 'variables'), signal ? { signal } : {});

/** Many in one step; those of other names stay. */
export const setVariables = (projectId: string, request: SetVariables) =>
  callApi<VariableList>('PUT', pathOf('projects', projectId, 'variables'), { body: request });

export const removeVariable = (projectId: string, name: string, environment?: string) =>
  callApi<VariableList>('DELETE', pathOf('projects', projectId, 'variables', name), { query: { environment } });

/** Starts production's backend with the current variables; nothing is built. */
export const releaseVariables = (projectId: string) =>
  callApi<ReleaseHistory>('POST', pathOf('projects', projectId, 'releases'), { body: { variables: 'current' } });
