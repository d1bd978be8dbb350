import type { ECSClient } from '@aws-sdk/client-ecs';
import type { S3Client } from '@aws-sdk/client-s3';
import type { STSClient } from '@aws-sdk/client-sts';
import { BUILDERS } from '../../contract/builders.ts';
import { createApi } from '../../lambdas/api/app.ts';
import type { ApiDeps } from '../../lambdas/api/deps.ts';
import { readECSConfig } from '../../lambdas/build-worker/config/ECSconfig.ts';
import { mintCredentials } from '../../lambdas/build-worker/services/credentials.ts';
import type { PlatformContext } from '../../lambdas/build-worker/services/distributionHandler/environment.ts';
import { handoverWriter } from '../../lambdas/build-worker/services/handover.ts';
import { drainBuildQueue } from '../../lambdas/build-worker/workers/build.ts';
import { drainCloneQueue } from '../../lambdas/clone-worker/workers/clone.ts';
import { deploymentIds } from '../../lambdas/domain/deploymentIds.ts';
import type { Supersede } from '../../lambdas/domain/supersede.ts';
import { project } from '../../lambdas/event-projector/project.ts';
import { countRefused } from '../../lambdas/event-projector/refuse.ts';
import { s3Archive } from '../../lambdas/shared/archive.ts';
import { artifactFinder } from '../../lambdas/shared/artifact.ts';
import { dropCaches } from '../../lambdas/shared/caches.ts';
import { authenticateByHash, hashToken } from '../../lambdas/shared/http/auth.ts';
import { rest } from '../../lambdas/shared/logs/followLog.ts';
import type { Clock, Limits } from '../../lambdas/shared/ports.ts';
import { gitAllowProtocol, LAPTOP_POLICY } from '../../lambdas/shared/repo/gitPolicy.ts';
import { parseGitUrl } from '../../lambdas/shared/repo/gitUrl.ts';
import type { SecretBox } from '../../lambdas/shared/secretBox.ts';
import { stopBuilds } from '../../lambdas/shared/stopBuilds.ts';
import { forbidPublication } from '../../lambdas/shared/verdict.ts';
import { watch } from '../../lambdas/task-watcher/watch.ts';
import { handleWebSocket, type WebSocketEvent } from '../../lambdas/websocket/handle.ts';
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
    readonly urlSigner: S3Client;
  };
  readonly region: string;
  readonly bucket: string;
  readonly endpoints: PlatformContext['endpoints'];
  readonly analyze: AnalysisPool['analyze'];
  /** What links of the API begin with. */
  readonly linkOrigin: () => string;
  readonly siteAddresses: ApiDeps['siteAddresses'];
  /** Why the platform cannot work as it should; null where it can. */
  readonly health?: () => Promise<string | null>;
  readonly log: (message: string, details?: unknown) => void;
}

export interface Handlers {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly webSocket: (event: WebSocketEvent) => Promise<{ statusCode: number }>;
  /** Both sources of the task-watcher; never throws. */
  readonly watch: (event: unknown) => void;
}

/** Gives every handler its ports, and the engines their handlers: what EventBridge, Kafka and Lambda do on AWS. */
export async function wireHandlers(input: WiringInput): Promise<Handlers> {
  const { ports, clock, clients, bucket, log } = input;
  const { queue, store, bus, doorbell, logs, notifier, subscriptions, tickets } = ports;
  const { secretBox } = input;
  const common = { queue, store, bus, doorbell, logs, clock, log };
  const archive = s3Archive(clients.s3, bucket);
  const stop = stopBuilds({ queue, ecs: clients.ecs });
  const authenticate = authenticateByHash(async () => ({ [input.owner]: [hashToken(input.token)] }));
  const platform: PlatformContext = {
    region: input.region,
    bucket,
    ecrUri: 'localhost/my-backend',
    timeoutSeconds: input.timeoutSeconds,
    kafka: ports.kafka,
    gitProtocols: gitAllowProtocol(LAPTOP_POLICY),
    precompress: true,
    endpoints: input.endpoints,
  };
  const { analyze } = input;

  doorbell.on('clone-worker', () => drainCloneQueue({ ...common, analyze, secretBox }), { atOnce: MAX_ANALYSES });
  const configs = readECSConfig(
    Object.fromEntries(
      BUILDERS.flatMap((b) => [
        [b.env.cluster, b.cluster],
        [b.env.task, b.family],
        [b.env.container, b.container],
      ]),
    ),
  );
  const mint = mintCredentials(clients.sts, {
    buildRoleArn: `arn:aws:iam::${LOCAL_ACCOUNT}:role/veren-build`,
    bucketArn: `arn:aws:s3:::${bucket}`,
    userImagesArn: `arn:aws:ecr:${input.region}:${LOCAL_ACCOUNT}:repository/my-backend`,
  });
  const writeHandover = handoverWriter({ s3: clients.s3, signer: clients.urlSigner, bucket });
  const signing = async () => ports.signing;
  doorbell.on('build-worker', () =>
    drainBuildQueue({
      ...common,
      secretBox,
      ecs: clients.ecs,
      mintCredentials: mint,
      configs,
      limits: input.limits,
      network: null,
      spot: false,
      platform,
      writeHandover,
      signing,
    }),
  );

  const projector = {
    ...common,
    archive,
    archiveLog: (id: string) => archive.writeLog(id, rest({ logs, archive }, id, 0)),
    subscriptions,
    notifier,
    stopBuilds: stop,
    park: async (poison: object) => log('a malformed message was put aside', poison),
    signing,
    place: { bucket, ecrUri: platform.ecrUri },
    // One clock for all, and one that may be set back by hours: then a build's own words would be before its request.
    maxClockSkewMs: Number.POSITIVE_INFINITY,
    refuse: countRefused(() => undefined, log, clock),
  };
  await ports.feed((event) => project(projector, event));

  const watcher = {
    ...common,
    ecs: clients.ecs,
    findArtifact: artifactFinder({ s3: clients.s3, bucket }),
    timeoutSeconds: { frontend: input.timeoutSeconds, backend: input.timeoutSeconds },
  };

  const api = createApi({
    ...common,
    archive,
    authenticate,
    newId: deploymentIds(clock),
    linkOrigin: input.linkOrigin,
    siteAddresses: input.siteAddresses,
    normaliseGitUrl: (url) => parseGitUrl(url, LAPTOP_POLICY).href,
    stopBuilds: stop,
    dropCaches: dropCaches(clients.s3, bucket),
    forbidPublication: forbidPublication({ s3: clients.s3, bucket, clock }),
    supersede: input.supersede ?? 'waiting',
    ...(input.health && { health: input.health }),
    tickets,
    secretBox,
    analyze,
  });

  return {
    fetch: (request) => api.fetch(request),
    webSocket: (event) => handleWebSocket({ authenticate, store, subscriptions, notifier, tickets }, event),
    watch: (event) =>
      void watch(watcher, event).catch((e) => log('the task-watcher failed; the next sweep repeats it', e)),
  };
}
