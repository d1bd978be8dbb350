import type { S3Calls } from '../../lambdas/shared/adapters/aws/clients.ts';
import type { DeploymentStore, JobQueue } from '../../lambdas/shared/ports.ts';
import { type SecretKeys, secretBox } from '../../lambdas/shared/secretBox.ts';
import { resealApps } from './resealApps.ts';
import { resealGitSecrets } from './resealGitSecrets.ts';
import { resealNotifications } from './resealNotifications.ts';
import { countJobsOfEarlierKeys, resealRequests } from './resealRequests.ts';
import { resealVariables } from './resealVariables.ts';

export interface ResealReport {
  /** Values of projects' variables, in every version, and requests of deployments that were sealed anew. */
  readonly variables: number;
  /** Webhook secrets and tokens of git hosts. */
  readonly gitSecrets: number;
  /** GitHub Apps of owners. */
  readonly githubApps: number;
  /** Addresses that are told of projects. */
  readonly notifications: number;
  readonly requests: number;
  /** Jobs of deployments under way that need an earlier key. */
  readonly jobsOfEarlierKeys: number;
}

/** Seals with the current key whatever an earlier one has sealed. Safe to repeat, also while functions run. */
export async function resealAll(deps: {
  readonly s3: S3Calls;
  readonly bucket: string;
  readonly keys: SecretKeys;
  readonly store: DeploymentStore;
  readonly queue: JobQueue;
}): Promise<ResealReport> {
  const { s3, bucket, keys, store, queue } = deps;
  const [box, current] = [secretBox(async () => keys), keys.current!];
  return {
    variables: await resealVariables({ s3, bucket, box }, current),
    gitSecrets: await resealGitSecrets({ s3, bucket, box }, current),
    githubApps: await resealApps({ s3, bucket, box }, current),
    notifications: await resealNotifications({ s3, bucket, box }, current),
    requests: await resealRequests(store, box, current),
    jobsOfEarlierKeys: await countJobsOfEarlierKeys(queue, current),
  };
}
