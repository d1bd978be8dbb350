import type { GitDelivery, GitHost } from '../../../contract/gitHosts.ts';
import { bitbucketHooks } from './bitbucket/bitbucketHooks.ts';
import { giteaHooks } from './gitea/giteaHooks.ts';
import { githubHooks } from './github/githubHooks.ts';
import { gitlabHooks } from './gitlab/gitlabHooks.ts';

/** The value of a header of the delivery, whatever the case of its name. */
export type HookHeader = (name: string) => string | undefined;

/** What one git host's deliveries look like: pure functions. */
export interface HookHost {
  /** True where the sender knows the secret. Reads the body as it came, and compares in constant time. */
  isGenuine(hook: {
    readonly header: HookHeader;
    readonly secret: string;
    readonly body: Uint8Array;
    readonly now: number;
  }): boolean;
  /** By which the host knows the delivery; a repeat has the same. */
  deliveryId(header: HookHeader): string | undefined;
  /** What the delivery says; of several refs that were pushed at once, each. */
  read(header: HookHeader, body: unknown): GitDelivery[];
}

const HOSTS: Readonly<Record<GitHost, HookHost>> = {
  github: githubHooks,
  gitlab: gitlabHooks,
  gitea: giteaHooks,
  bitbucket: bitbucketHooks,
};

export const hookHost = (host: GitHost): HookHost => HOSTS[host];
