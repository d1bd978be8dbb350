import type { ECSClient } from '@aws-sdk/client-ecs';
import type { S3Client } from '@aws-sdk/client-s3';
import type { STSClient } from '@aws-sdk/client-sts';
import { composeApi } from '../../lambdas/api/compose.ts';
import type { ApiDeps } from '../../lambdas/api/deps.ts';
import { composeBuildWorker } from '../../lambdas/build-worker/compose.ts';
import { readTableOfBuilders } from '../../lambdas/build-worker/config/ECSconfig.ts';
import type { PlatformContext } from '../../lambdas/build-worker/services/distributionHandler/environment.ts';
import type { UrlSigner } from '../../lambdas/build-worker/services/handover.ts';
import { composeCloneWorker } from '../../lambdas/clone-worker/compose.ts';
import type { Supersede } from '../../lambdas/domain/supersede.ts';
import { composeProjector } from '../../lambdas/event-projector/compose.ts';
import { authenticateByHash, hashToken } from '../../lambdas/shared/http/auth.ts';
import type { Log } from '../../lambdas/shared/logger.ts';
import type { Clock, Limits } from '../../lambdas/shared/ports.ts';
import { gitAllowProtocol, LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import type { SecretBox } from '../../lambdas/shared/secretBox.ts';
import { composeTaskWatcher } from '../../lambdas/task-watcher/compose.ts';
import { composeWebSocket } from '../../lambdas/websocket/compose.ts';
import type { WebSocketEvent } from '../../lambdas/websocket/handle.ts';
import { type AnalysisPool, MAX_ANALYSES } from '../analysis/openAnalysisPool.ts';
import { LOCAL_ACCOUNT } from '../awsProtocol/credentials.ts';
import type { LaptopPorts } from './ports.ts';

export interface WiringInput {
  readonly ports: LaptopPorts;
  readonly clock: Clock;
  readonly owner: string;
  readonly token: string;
  readonly secretBox: SecretBox;
  readonly limits: Limits;
  /** Default: `waiting`. */
  readonly supersede?: Supersede;
  readonly timeoutSeconds: number;
  readonly clients: {
    readonly s3: S3Client;
    readonly sts: STSClient;
    readonly ecs: ECSClient;
    /** Signs URLs of hand-overs. */
    readonly urlSigner: UrlSigner;
  };
  readonly region: string;
  readonly bucket: string;
  readonly endpoints: PlatformContext['endpoints'];
  readonly analyze: AnalysisPool['analyze'];
  /** The beginning of links of the API. */
  readonly linkOrigin: () => string;
  readonly siteAddresses: ApiDeps['siteAddresses'];
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

/** Connects handlers with their ports and engines with their handlers, as EventBridge, Kafka and Lambda do on AWS. */
export async function wireHandlers(input: WiringInput): Promise<Handlers> {
  const { ports, clock, clients, bucket, log, secretBox, timeoutSeconds } = input;
  const { waker, notifier, subscriptions, tickets } = ports;
  const common = { ...pickState(ports), ...clients, secretBox, clock };
  const logOf = (name: string) => ({ log: log.with({ function: name }) });
  const signing = async () => ports.signing;
  const authenticate = authenticateByHash(async () => ({ [input.owner]: [hashToken(input.token)] }));
  const ecrUri = 'localhost/my-backend';

  const cloneWorker = composeCloneWorker({ ...common, ...logOf('clone-worker'), analyze: input.analyze });
  const buildWorker = composeBuildWorker(
    { ...common, ...logOf('build-worker'), signing },
    {
      resources: {
        buildRoleArn: `arn:aws:iam::${LOCAL_ACCOUNT}:role/veren-build`,
        bucketArn: `arn:aws:s3:::${bucket}`,
        userImagesArn: `arn:aws:ecr:${input.region}:${LOCAL_ACCOUNT}:repository/my-backend`,
      },
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
        siteRules: true,
        endpoints: input.endpoints,
      },
    },
  );
  waker.on('clone-worker', () => cloneWorker(), { atOnce: MAX_ANALYSES });
  waker.on('build-worker', () => buildWorker());

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
    { place: { bucket, ecrUri }, maxClockSkewMs: Number.POSITIVE_INFINITY },
  );
  await ports.feed(projector);

  const watcher = composeTaskWatcher(
    { ...common, ...logOf('task-watcher') },
    {
      bucket,
      timeoutSeconds: { frontend: timeoutSeconds, backend: timeoutSeconds },
    },
  );
  const api = composeApi(
    { ...common, ...logOf('api'), tickets, authenticate },
    {
      bucket,
      gitPolicy: LAPTOP_POLICY,
      supersede: input.supersede ?? 'waiting',
      linkOrigin: input.linkOrigin,
      siteAddresses: input.siteAddresses,
      analyze: input.analyze,
      ...(input.health && { health: input.health }),
    },
  );
  const webSocket = composeWebSocket({ ...common, authenticate, subscriptions, notifier, tickets });

  return {
    fetch: (request) => api.fetch(request),
    webSocket,
    watch: (event) =>
      void watcher(event).catch((error) => log.warn('A sweep failed, and the next one repeats it', { error })),
  };
}

const pickState = ({ queue, store, bus, waker, logs }: LaptopPorts) => ({ queue, store, bus, waker, logs });
