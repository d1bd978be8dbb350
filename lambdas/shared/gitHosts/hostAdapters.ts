import type { GitHost } from '../../../contract/gitHosts.ts';
import { bitbucketAdapter } from './bitbucket/reportCalls.ts';
import { giteaAdapter } from './gitea/reportCalls.ts';
import { githubAdapter } from './github/reportCalls.ts';
import { gitlabAdapter } from './gitlab/reportCalls.ts';
import type { HostAdapter } from './hostAdapter.ts';

export const HOST_ADAPTERS: Readonly<Record<GitHost, HostAdapter>> = {
  github: githubAdapter,
  gitlab: gitlabAdapter,
  gitea: giteaAdapter,
  bitbucket: bitbucketAdapter,
};
