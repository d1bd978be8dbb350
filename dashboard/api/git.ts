import type { Accepted } from '../../contract/api.ts';
import type { ApprovalList, CreatedDeployHook, DeployHook, GitSetup, Webhook } from '../../contract/gitApi.ts';
import { callApi, pathOf } from './callApi.ts';

const below = (projectId: string, ...parts: string[]) => pathOf('projects', projectId, ...parts);

export const getGitSetup = (projectId: string, signal?: AbortSignal) =>
  callApi<GitSetup>('GET', below(projectId, 'git'), signal ? { signal } : {});

/** The answer is the only one that shows the secret. The one before it holds for an hour. */
export const makeHookSecret = (projectId: string) => callApi<Webhook>('POST', below(projectId, 'webhook'));

export const storeGitToken = (projectId: string, token: string) =>
  callApi<null>('PUT', below(projectId, 'git-token'), { body: { token } });
export const forgetGitToken = (projectId: string) => callApi<null>('DELETE', below(projectId, 'git-token'));

export const listApprovals = (projectId: string, signal?: AbortSignal) =>
  callApi<ApprovalList>('GET', below(projectId, 'approvals'), signal ? { signal } : {});
/** Builds a fork's pull request at this commit alone. */
export const approve = (projectId: string, request: { number: number; commit: string }) =>
  callApi<Accepted>('POST', below(projectId, 'approvals'), { body: request });

export const listDeployHooks = (projectId: string, signal?: AbortSignal) =>
  callApi<{ items: DeployHook[] }>('GET', below(projectId, 'deploy-hooks'), signal ? { signal } : {});
/** The answer is the only one that shows the address. */
export const createDeployHook = (projectId: string, request: { name: string; branch?: string }) =>
  callApi<CreatedDeployHook>('POST', below(projectId, 'deploy-hooks'), { body: request });
export const revokeDeployHook = (projectId: string, id: string) =>
  callApi<null>('DELETE', below(projectId, 'deploy-hooks', id));
