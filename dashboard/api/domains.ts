import type { Domain } from '../../contract/domains.ts';
import { callApi, pathOf } from './callApi.ts';

export const listDomains = (projectId: string, signal?: AbortSignal) =>
  callApi<{ domains: Domain[] }>('GET', pathOf('projects', projectId, 'domains'), signal ? { signal } : {});

/** Looks at its DNS again. */
export const checkDomain = (projectId: string, name: string) =>
  callApi<Domain>('GET', pathOf('projects', projectId, 'domains', name));

export const addDomain = (projectId: string, name: string) =>
  callApi<Domain>('PUT', pathOf('projects', projectId, 'domains', name));

export const removeDomain = (projectId: string, name: string) =>
  callApi<null>('DELETE', pathOf('projects', projectId, 'domains', name));
