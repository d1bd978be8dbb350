import { s3Objects } from '../../builder-images/shared/objects.ts';
import type { S3Calls, StsCalls } from '../shared/adapters/aws/clients.ts';
import type { UrlSigner } from '../shared/adapters/aws/urlSigner.ts';
import { MAX_MANIFEST_BYTES } from '../shared/artifact.ts';
import { openDocuments } from '../shared/documents.ts';
import { openAppStore } from '../shared/gitHosts/app/appStore.ts';
import { appTokens } from '../shared/gitHosts/app/appTokens.ts';
import { openCostStore } from '../shared/projects/costStore.ts';
import { openProjectStore } from '../shared/projects/projectStore.ts';
import { openVariableStore } from '../shared/projects/variableStore.ts';
import type { GitPolicy } from '../shared/repo/gitPolicy.ts';
import { type BuildResources, mintCredentials } from './services/credentials.ts';
import type { BuildCredentials } from './services/distributionHandler/environment.ts';
import { handoverWriter } from './services/handover.ts';
import { paceReader } from './services/pace.ts';
import { packSigner } from './services/packSigner.ts';
import { type BuildWorkerDeps, drainBuildQueue } from './workers/build.ts';
import { drainPromotions, type PromotionDeps } from './workers/promote.ts';

type Given = 'queue' | 'store' | 'bus' | 'clock' | 'ecs' | 'secretBox' | 'signing' | 'log';

export interface BuildWorkerPorts extends Pick<BuildWorkerDeps, Given> {
  readonly s3: S3Calls;
  readonly sts: StsCalls;
  /** Signs URLs of hand-overs, for the endpoint that builders use. */
  readonly urlSigner: UrlSigner;
  /** @default - the bucket as the credentials of a build may use it */
  readonly openObjects?: PromotionDeps['openObjects'];
}

export interface BuildWorkerSettings
  extends Pick<BuildWorkerDeps, 'configs' | 'limits' | 'network' | 'spot' | 'platform'> {
  /** What a build's credentials may reach. */
  readonly resources: BuildResources;
  /** Which git hosts are read. */
  readonly gitPolicy: GitPolicy;
  /** Of S3, for promotions. @default - AWS's own */
  readonly s3Endpoint?: string | undefined;
}

/** Starts waiting builds until none is left or `mayTakeMore` is false. @returns true where none was left */
export type BuildWorker = (mayTakeMore?: () => boolean) => Promise<boolean>;

export function composeBuildWorker(
  { s3, sts, urlSigner, openObjects, ...ports }: BuildWorkerPorts,
  { resources, s3Endpoint, gitPolicy, ...settings }: BuildWorkerSettings,
): BuildWorker {
  const { clock, log } = ports;
  const documents = openDocuments(s3, settings.platform.bucket);
  const apps = openAppStore(documents, ports.secretBox);
  const projects = openProjectStore({ s3, bucket: settings.platform.bucket, clock });
  const deps: BuildWorkerDeps = {
    ...ports,
    ...settings,
    mintAppToken: appTokens({ apps, rules: { policy: gitPolicy }, clock }),
    mintCredentials: mintCredentials(sts, resources),
    variables: openVariableStore({ s3, bucket: settings.platform.bucket, clock }),
    writeHandover: handoverWriter({ s3, signer: urlSigner, bucket: settings.platform.bucket }),
    signPack: packSigner(urlSigner, settings.platform.bucket),
    readPace: paceReader({ projects, costs: openCostStore(documents), clock, log }),
  };
  const { bucket, region } = settings.platform;
  const promotions: PromotionDeps = {
    ...deps,
    openObjects:
      openObjects ??
      (({ accessKeyId, secretAccessKey, sessionToken }: BuildCredentials) =>
        s3Objects({
          ...{ bucket, region, accessKeyId, secretAccessKey, sessionToken },
          endpoint: s3Endpoint,
          // Builds write what is read here, and this worker serves all builds, so the size is limited.
          maxBytes: MAX_MANIFEST_BYTES,
        })),
  };
  return async (mayTakeMore) => {
    const runs = await Promise.allSettled([
      drainPromotions(promotions, mayTakeMore),
      drainBuildQueue(deps, mayTakeMore),
    ]);
    // Waits for both: an exception ends the invocation, and Lambda would freeze the process in the middle of a copy.
    for (const run of runs) if (run.status === 'rejected') throw run.reason;
    return runs.every((run) => run.status === 'fulfilled' && run.value);
  };
}
