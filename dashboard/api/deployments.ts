import type { Accepted, CreateDeployment, DeploymentList, DeploymentView } from '../../contract/api.ts';
import type { PublishedFiles } from '../../contract/files.ts';
import type { CacheUse } from '../../contract/lanes.ts';
import type { ReleaseHistory } from '../../contract/releases.ts';
import { callApi, pathOf } from './callApi.ts';

export const getDeployment = (deploymentId: string, signal?: AbortSignal) =>
  callApi<DeploymentView>('GET', pathOf('deployments', deploymentId), signal ? { signal } : {});

/** One page, newest first; its `cursor` asks for the next. */
export const listDeployments = (query: { projectId?: string; limit?: number; cursor?: string }, signal?: AbortSignal) =>
  callApi<DeploymentList>('GET', '/deployments', { query, ...(signal && { signal }) });

/** One page of the files of its site; its `cursor` asks for the next in the same order. */
export const listFiles = (
  deploymentId: string,
  query: { sort: 'path' | 'size'; limit: number; cursor?: string },
  signal?: AbortSignal,
) => callApi<PublishedFiles>('GET', pathOf('deployments', deploymentId, 'files'), { query, ...(signal && { signal }) });

/** @param key Names this wish: a second request with it deploys nothing more. */
export const createDeployment = (request: CreateDeployment, key: string) =>
  callApi<Accepted>('POST', '/deployments', { body: request, headers: { 'Idempotency-Key': key } });

export const cancelDeployment = (deploymentId: string) =>
  callApi<Accepted>('POST', pathOf('deployments', deploymentId, 'cancel'));

/** The same commit again. */
export const redeploy = (deploymentId: string, request: { cache?: CacheUse } = {}) =>
  callApi<Accepted>('POST', pathOf('deployments', deploymentId, 'redeploy'), { body: request });

/** Production serves it from now on. */
export const promote = (deploymentId: string, request: { reason?: string } = {}) =>
  callApi<ReleaseHistory>('POST', pathOf('deployments', deploymentId, 'promote'), { body: request });
