import { createHash } from 'node:crypto';
import type { Trigger } from '../../../contract/gitHosts.ts';
import type { AppAccess } from '../../../contract/githubApp.ts';
import type { DeploymentRequest } from '../../../contract/jobs.ts';
import type { Environment } from '../../../contract/lanes.ts';

/** A commit that a branch, a tag or a pull request is to be deployed at. */
export interface GitTarget {
  readonly projectId: string;
  readonly gitUrl: string;
  /** Undefined where only the repository can say it, which could not be asked. */
  readonly environment: Environment | undefined;
  /** Foreign code. */
  readonly untrusted: boolean;
  readonly ref: { readonly kind: 'branch' | 'tag'; readonly name: string };
  readonly commit: string;
  /**
   * The repository could not be read, so nobody knows what the ref points at. The ref itself is deployed: that fails as the
   * reading did, or is what the repository shows by then, never an older commit.
   */
  readonly isUnseen?: boolean;
  /** The closing of its preview that it comes after: an event of the cancellation may be on its way still. */
  readonly closing?: string | undefined;
  readonly trigger: Trigger;
  readonly gitToken?: string | undefined;
  readonly gitApp?: AppAccess | undefined;
}

/** Some hosts abbreviate commits. */
const FULL = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** The deployment that is made of it. Foreign code gets no token, also not one that only reads. */
export function gitRequest(target: GitTarget): DeploymentRequest {
  const { projectId, gitUrl, environment, untrusted, ref, commit, trigger, gitToken, gitApp, isUnseen } = target;
  return {
    ...{ projectId, gitUrl, ref: ref.name, trigger: FULL.test(commit) ? { ...trigger, commit } : trigger },
    ...(environment !== undefined && { environment }),
    ...(!isUnseen && { commit }),
    resolved: { ref: ref.name, [ref.kind]: ref.name },
    ...(untrusted && { lane: 'untrusted' as const }),
    ...(gitToken !== undefined && !untrusted && { gitToken }),
    ...(gitApp && !untrusted && { gitApp }),
  };
}

/** By which a commit is deployed once in an environment and for a ref. It has a space, which no caller's key may have. */
export const gitKey = (target: GitTarget, again?: string): string => {
  const { projectId, gitUrl, environment, ref, commit, isUnseen, closing } = target;
  const named = [projectId, gitUrl, environment ?? null, ref.kind, ref.name, commit, again ?? closing ?? null];
  const of = JSON.stringify(isUnseen ? [...named, 'unseen'] : named);
  return `git ${createHash('sha256').update(of).digest('hex')}`;
};
