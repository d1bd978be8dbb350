import type { S3Client } from '@aws-sdk/client-s3';
import type { STSClient } from '@aws-sdk/client-sts';
import { type BuildResources, mintCredentials } from './services/credentials.ts';
import { handoverWriter } from './services/handover.ts';
import { type BuildWorkerDeps, drainBuildQueue } from './workers/build.ts';

type Given = 'queue' | 'store' | 'bus' | 'clock' | 'ecs' | 'secretBox' | 'signing' | 'log';

export interface BuildWorkerPorts extends Pick<BuildWorkerDeps, Given> {
  readonly s3: S3Client;
  readonly sts: STSClient;
  /** Signs URLs of hand-overs, for the endpoint that builders use. */
  readonly urlSigner: S3Client;
}

export interface BuildWorkerSettings
  extends Pick<BuildWorkerDeps, 'configs' | 'limits' | 'network' | 'spot' | 'platform'> {
  /** What a build's credentials may reach. */
  readonly resources: BuildResources;
}

/** Starts what waits, until nothing does or `mayTakeMore` says no; gives whether nothing was left. */
export type BuildWorker = (mayTakeMore?: () => boolean) => Promise<boolean>;

export function composeBuildWorker(
  { s3, sts, urlSigner, ...ports }: BuildWorkerPorts,
  { resources, ...settings }: BuildWorkerSettings,
): BuildWorker {
  const deps: BuildWorkerDeps = {
    ...ports,
    ...settings,
    mintCredentials: mintCredentials(sts, resources),
    writeHandover: handoverWriter({ s3, signer: urlSigner, bucket: settings.platform.bucket }),
  };
  return (mayTakeMore) => drainBuildQueue(deps, mayTakeMore);
}
