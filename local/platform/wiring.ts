import type { ECSClient } from '@aws-sdk/client-ecs';
import type { S3Client } from '@aws-sdk/client-s3';
import type { STSClient } from '@aws-sdk/client-sts';
import type { OwnerLimits } from '../../contract/ownerLimits.ts';
import { composeApi } from '../../lambdas/api/compose.ts';
import type { ApiDeps } from '../../lambdas/api/deps.ts';
import { composeBuildWorker } from '../../lambdas/build-worker/compose.ts';
import { readTableOfBuilders } from '../../lambdas/build-worker/config/ECSconfig.ts';
import type { PlatformContext } from '../../lambdas/build-worker/services/distributionHandler/environment.ts';
import { composeCloneWorker } from '../../lambdas/clone-worker/compose.ts';
import type { Supersede } from '../../lambdas/domain/supersede.ts';
import { composeProjector } from '../../lambdas/event-projector/compose.ts';
import { composeGitWorker } from '../../lambdas/git-worker/compose.ts';
import { composeReleaser } from '../../lambdas/releaser/compose.ts';
import type { UrlSigner } from '../../lambdas/shared/adapters/aws/urlSigner.ts';
import { openDocuments } from '../../lambdas/shared/documents.ts';
import { shownDomains } from '../../lambdas/shared/domains/followRelease.ts';
import { hashToken } from '../../lambdas/shared/http/auth.ts';
import type { Log } from '../../lambdas/shared/logger.ts';
import { authenticateCaller } from '../../lambdas/shared/people/authenticateCaller.ts';
import { noteTokenUse } from '../../lambdas/shared/people/namedTokens.ts';
import { openOwnerStore } from '../../lambdas/shared/people/ownerStore.ts';
import type { Clock, Limits } from '../../lambdas/shared/ports.ts';
import { openVariableStore } from '../../lambdas/shared/projects/variableStore.ts';
import { gitAllowProtocol, LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import type { SecretBox } from '../../lambdas/shared/secretBox.ts';
import type { Services } from '../../lambdas/shared/services/servicePort.ts';
import { composeTaskWatcher } from '../../lambdas/task-watcher/compose.ts';
import type { RemoveImages } from '../../lambdas/task-watcher/sweepDeps.ts';
import { composeWebSocket } from '../../lambdas/websocket/compose.ts';
import type { WebSocketEvent } from '../../lambdas/websocket/handle.ts';
import { laptopDomains } from '../adapters/laptopDomains.ts';
import { type AnalysisPool, MAX_ANALYSES } from '../analysis/openAnalysisPool.ts';
import { LOCAL_ACCOUNT } from '../awsProtocol/credentials.ts';
import type { LaptopPorts } from './ports.ts';

/** One switches while others copy large sites. */
const MAX_RELEASERS = 4;
/** A slow host holds up no other. */
const MAX_GIT_WORKERS = 4;

export interface WiringInput {
  readonly ports: LaptopPorts;
  readonly clock: Clock;
  readonly owner: string;
  readonly token: string;
  readonly secretBox: SecretBox;
  readonly limits: Limits;
  /** Default: none. */
  readonly ownerLimits?: OwnerLimits | undefined;
  /** Default: `waiting`. */
  readonly supersede?: Supersede;
  readonly timeoutSeconds: number;
  readonly clients: {
    readonly s3: S3Client;
    readonly sts: STSClient;
    readonly ecs: ECSClient;
    /** Signs URLs of hand-overs and uploads. */
    readonly urlSigner: UrlSigner;
  };
  readonly region: string;
  readonly bucket: string;
  readonly endpoints: PlatformContext['endpoints'];
  readonly analyze: AnalysisPool['analyze'];
  /** Folder of the platform's own for what is needed for a moment. */
  readonly temporary: string;
  readonly removeImages: RemoveImages;
  /** Changes with the builders' scripts. */
  readonly buildersVersion: string;
  /** How long the deletion of a project can be taken back (ms). */
  readonly deletionGraceMs: number;
  /** The beginning of links of the API. */
  readonly linkOrigin: () => string;
  readonly siteAddresses: ApiDeps['siteAddresses'];
  /** Runs backends. @default - they are built and no more */
  readonly services?: Services;
  /** Why the platform cannot work as it should; null where it can. */
  readonly health?: () => Promise<string | null>;
  readonly log: Log;
}

export interface Handlers {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly webSocket: (event: WebSocketEvent) => Promise<{ statusCode: number }>;
  /** Both sources of the task-watcher; never throws. */
  readonly watch: (event: unknown) => void;
}

/** A laptop is often switched off before a day is over. */
const RETENTION_PASS_MS = 600_000;
/** The repository of users' images. */
export const LAPTOP_IMAGES = 'localhost/my-backend';

/** Connects handlers with their ports and engines with their handlers, as EventBridge, Kafka and Lambda do on AWS. */
export async function wireHandlers(input: WiringInput): Promise<Handlers> {
  const { ports, clock, clients, bucket, log, secretBox, timeoutSeconds } = input;
  const { waker, notifier, subscriptions, tickets, rateLimit } = ports;
  const common = { ...pickState(ports), ...clients, secretBox, clock };
  const logOf = (name: string) => ({ log: log.with({ function: name }) });
  const signing = async () => ports.signing;
  const owners = openOwnerStore({ s3: clients.s3, bucket, clock });
  const authenticate = authenticateCaller({
    hashes: async () => ({ [input.owner]: [hashToken(input.token)] }),
    owners,
    clock,
    noteUse: noteTokenUse(owners, clock, (error) => log.warn('The use of a token could not be noted', { error })),
  });
  const ecrUri = LAPTOP_IMAGES;

  const cloneWorker = composeCloneWorker(
    { ...common, ...logOf('clone-worker'), analyze: input.analyze },
    { bucket, builders: input.buildersVersion, gitPolicy: LAPTOP_POLICY, workDir: input.temporary },
  );
  const buildWorker = composeBuildWorker(
    { ...common, ...logOf('build-worker'), signing },
    {
      resources: {
        buildRoleArn: `arn:aws:iam::${LOCAL_ACCOUNT}:role/veren-build`,
        bucketArn: `arn:aws:s3:::${bucket}`,
        serviceFolders: true,
        userImagesArn: `arn:aws:ecr:${input.region}:${LOCAL_ACCOUNT}:repository/my-backend`,
      },
      gitPolicy: LAPTOP_POLICY,
      configs: readTableOfBuilders(),
      limits: input.limits,
      s3Endpoint: input.endpoints.AWS_ENDPOINT_URL_S3,
      network: null,
      spot: false,
      platform: {
        region: input.region,
        bucket,
        ecrUri,
        timeoutSeconds,
        kafka: ports.kafka,
        gitProtocols: gitAllowProtocol(LAPTOP_POLICY),
        precompress: true,
        runsServices: input.services !== undefined,
        endpoints: input.endpoints,
      },
    },
  );
  waker.on('clone-worker', cloneWorker, { atOnce: MAX_ANALYSES });
  waker.on('build-worker', buildWorker);
  const domainPorts = { domains: laptopDomains(), sites: ports.sites, siteDomain: 'localhost' };
  const { services } = input;
  const variables = openVariableStore({ s3: clients.s3, bucket, clock });
  const releaser = composeReleaser(
    {
      ...{ ...common, ...logOf('releaser'), subscriptions, notifier, sites: ports.sites },
      runner: services && { services, secretBox, variables, bus: ports.bus },
      ownDomains: shownDomains(openDocuments(clients.s3, bucket)),
    },
    { bucket },
  );
  waker.on('releaser', releaser, { atOnce: MAX_RELEASERS });

  const projector = composeProjector(
    {
      ...common,
      ...logOf('event-projector'),
      subscriptions,
      notifier,
      signing,
      measure: () => undefined,
      park: async (poison: object) => log.error('A malformed message was put aside', { ...poison }),
    },
    // There is one clock here, which may be set back by hours; then a build's events would be earlier than its request.
    { place: { bucket, ecrUri, runsServices: services !== undefined }, maxClockSkewMs: Number.POSITIVE_INFINITY },
  );
  await ports.feed(projector);

  const watcher = composeTaskWatcher(
    {
      ...common,
      ...logOf('task-watcher'),
      removeImages: input.removeImages,
      services,
      sites: ports.sites,
      domainPorts,
    },
    {
      bucket,
      timeoutSeconds: { frontend: timeoutSeconds, backend: timeoutSeconds },
      retention: { passMs: RETENTION_PASS_MS },
    },
  );
  const ownerLimits = { all: { ...input.ownerLimits, builds: input.limits.perOwner }, owners: {} };
  const api = composeApi(
    {
      ...common,
      ...logOf('api'),
      ...(services && { services }),
      tickets,
      rateLimit,
      authenticate,
      owners,
      domainPorts,
    },
    {
      bucket,
      gitPolicy: LAPTOP_POLICY,
      deletionGraceMs: input.deletionGraceMs,
      supersede: input.supersede ?? 'waiting',
      limits: ownerLimits,
      linkOrigin: input.linkOrigin,
      siteAddresses: input.siteAddresses,
      analyze: input.analyze,
      canWatch: true,
      ...(input.health && { health: input.health }),
    },
  );
  const gitWorker = composeGitWorker(
    { ...common, ...logOf('git-worker'), rateLimit },
    {
      ...{ bucket, gitPolicy: LAPTOP_POLICY, apiHosts: [], limits: ownerLimits },
      supersede: input.supersede ?? 'waiting',
      siteAddresses: input.siteAddresses,
    },
  );
  waker.on('git-worker', gitWorker, { atOnce: MAX_GIT_WORKERS });
  const webSocket = composeWebSocket({ ...common, authenticate, subscriptions, notifier, tickets });

  return {
    fetch: (request) => api.fetch(request),
    webSocket,
    watch: (event) =>
      void watcher(event).catch((error) => log.warn('A sweep failed, and the next one repeats it', { error })),
  };
}

const pickState = ({ queue, store, bus, waker, logs }: LaptopPorts) => ({ queue, store, bus, waker, logs });
