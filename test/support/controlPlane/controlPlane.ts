import { ECSClient } from '@aws-sdk/client-ecs';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { s3Objects } from '../../../builder-images/shared/objects.ts';
import type { CreateDeployment } from '../../../contract/api.ts';
import { DEFAULT_REGION, TOPICS, type WakeableFunction } from '../../../contract/names.ts';
import type { Plan } from '../../../contract/plan.ts';
import type { DeploymentRecord } from '../../../contract/record.ts';
import { composeApi } from '../../../lambdas/api/compose.ts';
import { composeBuildWorker } from '../../../lambdas/build-worker/compose.ts';
import { readTableOfBuilders } from '../../../lambdas/build-worker/config/ECSconfig.ts';
import type { BuildCredentials } from '../../../lambdas/build-worker/services/distributionHandler/environment.ts';
import { composeCloneWorker } from '../../../lambdas/clone-worker/compose.ts';
import type { Supersede } from '../../../lambdas/domain/supersede.ts';
import { composeProjector } from '../../../lambdas/event-projector/compose.ts';
import { composeGitWorker } from '../../../lambdas/git-worker/compose.ts';
import { composeReleaser } from '../../../lambdas/releaser/compose.ts';
import { urlSigner } from '../../../lambdas/shared/adapters/aws/urlSigner.ts';
import { type Archive, s3Archive } from '../../../lambdas/shared/archive.ts';
import type { ArtifactPlaces } from '../../../lambdas/shared/artifact.ts';
import { authenticateByHash, hashToken } from '../../../lambdas/shared/http/auth.ts';
import type { Log } from '../../../lambdas/shared/logger.ts';
import { openOwnerStore } from '../../../lambdas/shared/people/ownerStore.ts';
import type {
  Clock,
  DeploymentStore,
  EventBus,
  FunctionWaker,
  JobQueue,
  Limits,
  LogChannel,
  Sites,
  Subscriptions,
} from '../../../lambdas/shared/ports.ts';
import { LAPTOP_POLICY } from '../../../lambdas/shared/repo/gitPolicy.ts';
import { type Signing, signedBus } from '../../../lambdas/shared/signing.ts';
import { composeTaskWatcher } from '../../../lambdas/task-watcher/compose.ts';
import type { Accounts } from '../../../lambdas/task-watcher/taskUse.ts';
import { memoryBus } from '../../../local/adapters/memory/bus.ts';
import { volatileJournal } from '../../../local/adapters/memory/journal.ts';
import { memoryRateLimit } from '../../../local/adapters/memory/rateLimit.ts';
import { memorySites } from '../../../local/adapters/memory/sites.ts';
import { memoryTickets } from '../../../local/adapters/memory/tickets.ts';
import { asMskRecord } from '../../../local/platform/ports.ts';
import { testSecretBox } from '../api.ts';
import { frontendPlan } from '../events.ts';
import { silentLog } from '../log.ts';
import { SIGNING } from '../signing.ts';
import { type Life, life } from './life.ts';
import { buildResources } from './world.ts';

export type Role =
  | 'api'
  | 'clone-worker'
  | 'build-worker'
  | 'task-watcher'
  | 'event-projector'
  | 'releaser'
  | 'git-worker';

export interface ControlPlaneOptions {
  readonly storage: { queue: JobQueue; store: DeploymentStore; logs: LogChannel; subscriptions: Subscriptions };
  readonly clock: Clock;
  /** Endpoints of the SDK's clients. */
  readonly endpoints: { readonly ecs: string; readonly sts: string; readonly s3: string };
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly bucket: string;
  readonly limits?: Limits;
  readonly timeoutSeconds?: number;
  readonly spot?: boolean;
  /** Tasks cost money. Default: they do not. */
  readonly accounts?: Accounts;
  /** Calls of ECS that the SDK makes before it gives up. Default: 3, as the SDK has it. */
  readonly sdkAttempts?: number;
  readonly supersede?: Supersede;
  readonly analyze?: (request: CreateDeployment) => Promise<Plan>;
  /** Default: in the bucket. */
  readonly archive?: Archive;
  /** Where routes are kept. Default: in memory. */
  readonly sites?: Sites;
  /** What the task-watcher asks for images. */
  readonly findImage?: ArtifactPlaces['findImage'];
  /** The life of each run of a function; default: one that is not cut short. */
  readonly lives?: (role: Role) => Life | undefined;
  readonly log?: Log;
  /** True for messages that are acknowledged and then lost, as with the disk of a log without a second copy. */
  readonly loses?: (messages: readonly { readonly value: string }[]) => boolean;
  /** Runs of one worker at once. */
  readonly instances?: number;
  /** Default: one of the tests, and nothing unsigned is taken. */
  readonly signing?: () => Promise<Signing>;
}

export interface ControlPlane {
  readonly sites: Sites;
  /** As builders reach it: what they publish carries their own MAC. */
  readonly bus: EventBus;
  /** Calls the HTTP API as the owner. */
  call(
    method: string,
    path: string,
    body?: object,
    options?: { owner?: string; key?: string },
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** POST /deployments; its id. */
  deploy(
    request: Partial<CreateDeployment> & { projectId: string },
    options?: { owner?: string; key?: string },
  ): Promise<string>;
  /** A run of the task-watcher: a state change of ECS, or without one the sweep. */
  watch(event?: object): Promise<void>;
  ring(name: WakeableFunction): void;
  record(deploymentId: string): Promise<DeploymentRecord>;
  /** Nothing but the API runs until the function that it gives is called: the others are functions of their own on AWS. */
  hold(): () => void;
  /** Resolves when no function runs. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const never = async () => {
  throw new Error('nobody is connected');
};
const DEFAULT_LIMITS: Limits = { global: 4, perOwner: 4, perProject: 4 };

/**
 * Every handler of the control plane, each run of one with its own life as a Lambda has, on the SDK's clients and the
 * storage that is given. The bus is in memory: Kafka's faults have their own suite.
 */
export function controlPlane(options: ControlPlaneOptions): ControlPlane {
  const { storage, clock, endpoints, credentials, bucket, log = silentLog } = options;
  const sdk = { region: DEFAULT_REGION, credentials };
  const clients = {
    ecs: new ECSClient({ ...sdk, endpoint: endpoints.ecs, maxAttempts: options.sdkAttempts ?? 3 }),
    sts: new STSClient({ ...sdk, endpoint: endpoints.sts }),
    s3: new S3Client({ ...sdk, endpoint: endpoints.s3, forcePathStyle: true }),
  };
  const signer = urlSigner({ ...sdk, endpoint: endpoints.s3, forcePathStyle: true });
  const memory = memoryBus(volatileJournal(), (error) => log.warn('A batch is delivered again', { error }));
  const plainBus: typeof memory = {
    ...memory,
    publish: async (topic, messages) => {
      if (!options.loses?.(messages)) await memory.publish(topic, messages);
    },
  };
  const signing = options.signing ?? (async () => SIGNING);
  const bus = signedBus(plainBus, signing);
  const running = new Map<string, number>();
  const waiting = new Set<WakeableFunction>();
  /** Runs that have been asked for and begin in a moment. */
  let rung = 0;
  let closed = false;

  let gate = Promise.resolve();
  const newLife = (role: Role) => options.lives?.(role) ?? life();
  const portsOf = ({ wrap }: Life) => {
    const [ecs, s3] = [wrap(clients.ecs), wrap(clients.s3)];
    const [queue, store] = [wrap(storage.queue), wrap(storage.store)];
    return {
      ecs,
      s3,
      queue,
      store,
      logs: wrap(storage.logs),
      bus: wrap<EventBus>(bus),
      waker: wrap(waker),
      clock,
      log,
      secretBox: testSecretBox('one key for all processes of a test'),
    };
  };

  async function invoke(name: string, run: () => Promise<unknown>): Promise<void> {
    running.set(name, (running.get(name) ?? 0) + 1);
    try {
      await gate;
      await run();
    } catch (error) {
      log.warn('A run of a function ended', { function: name, error });
    } finally {
      running.set(name, (running.get(name) ?? 1) - 1);
    }
  }

  /** As Lambda's asynchronous invoke: runs of their own, up to a number at once; rings beyond that are answered later. */
  const waker: FunctionWaker = { wake: async (name) => ring(name) };
  function ring(name: WakeableFunction): void {
    if (closed) return;
    if ((running.get(name) ?? 0) >= (options.instances ?? 2)) return void waiting.add(name);
    rung++;
    setImmediate(() => {
      rung--;
      const run = { 'clone-worker': runClone, 'build-worker': runBuild, releaser: runRelease, 'git-worker': runGit }[
        name
      ];
      void invoke(name, run).then(() => {
        if (waiting.delete(name)) ring(name);
      });
    });
  }

  const runClone = () => {
    const own = newLife('clone-worker');
    const analyze = options.analyze ?? (async () => frontendPlan());
    const settings = { bucket, builders: '1', gitPolicy: LAPTOP_POLICY };
    return own.run(() => composeCloneWorker({ ...portsOf(own), urlSigner: signer, analyze }, settings)());
  };

  const configs = readTableOfBuilders();
  const timeoutSeconds = options.timeoutSeconds ?? 1_800;
  const platform = {
    region: DEFAULT_REGION,
    bucket,
    ecrUri: 'registry.example/my-backend',
    timeoutSeconds,
    kafka: { KAFKA_BROKERS: '127.0.0.1:9092' },
    gitProtocols: 'https',
    precompress: false,
    endpoints: {},
  };
  const runBuild = () => {
    const own = newLife('build-worker');
    const sts = own.wrap(clients.sts);
    const openObjects = (keys: BuildCredentials) =>
      own.wrap(s3Objects({ bucket, region: DEFAULT_REGION, endpoint: endpoints.s3, ...keys }));
    const worker = composeBuildWorker(
      { ...portsOf(own), sts, urlSigner: signer, signing, openObjects },
      {
        resources: buildResources(bucket),
        gitPolicy: LAPTOP_POLICY,
        configs,
        limits: options.limits ?? DEFAULT_LIMITS,
        network: null,
        spot: options.spot ?? false,
        platform,
      },
    );
    return own.run(() => worker());
  };

  const sites = options.sites ?? memorySites(volatileJournal());
  const runRelease = () => {
    const own = newLife('releaser');
    const releaser = composeReleaser(
      {
        ...portsOf(own),
        sites: own.wrap(sites),
        subscriptions: own.wrap(storage.subscriptions),
        notifier: { send: never },
      },
      { bucket },
    );
    return own.run(() => releaser());
  };

  const rateLimit = memoryRateLimit(clock);
  const runGit = () => {
    const own = newLife('git-worker');
    const worker = composeGitWorker(
      { ...portsOf(own), rateLimit },
      {
        ...{ bucket, gitPolicy: LAPTOP_POLICY, apiHosts: [], limits: { all: {}, owners: {} } },
        supersede: options.supersede ?? 'waiting',
        siteAddresses: async ({ projectId }) => ({ url: `http://${projectId}.example` }),
      },
    );
    return own.run(() => worker());
  };

  const archiveFor = (s3: S3Client) => options.archive ?? s3Archive(s3, bucket);
  for (const topic of Object.values(TOPICS))
    memory.subscribe(topic, async (batch) => {
      await gate;
      const own = newLife('event-projector');
      const projector = composeProjector(
        {
          ...portsOf(own),
          archive: own.wrap(archiveFor(clients.s3)),
          archiveLog: async () => undefined,
          subscriptions: storage.subscriptions,
          notifier: { send: never },
          measure: () => undefined,
          park: async (poison) => log.warn('A message was parked', { ...poison }),
          signing,
        },
        { place: { bucket } },
      );
      return own.run(async () => {
        const result = await projector({ records: { [topic]: batch.map(asMskRecord) } });
        if (result.batchItemFailures.length > 0) throw new Error('given back');
      });
    });

  function runWatch(event: object | undefined): Promise<void> {
    const own = newLife('task-watcher');
    const { findImage } = options;
    const limits = { frontend: timeoutSeconds, backend: timeoutSeconds };
    const watcher = composeTaskWatcher(
      { ...portsOf(own), ...(findImage && { findImage }) },
      { bucket, timeoutSeconds: limits, accounts: options.accounts },
    );
    return own.run(() => watcher(event));
  }

  const owners = ['ada', 'bob', 'eve'];
  const apiOf = (own: Life) =>
    composeApi(
      {
        ...portsOf(own),
        urlSigner: signer,
        archive: archiveFor(clients.s3),
        owners: openOwnerStore({ s3: portsOf(own).s3, bucket, clock }),
        authenticate: authenticateByHash(async () =>
          Object.fromEntries(owners.map((o) => [o, [hashToken(`token-of-${o}`)]])),
        ),
        tickets: memoryTickets(clock),
        rateLimit,
      },
      {
        bucket,
        gitPolicy: LAPTOP_POLICY,
        linkOrigin: () => 'http://api.example',
        siteAddresses: async ({ projectId }) => ({ url: `http://${projectId}.example` }),
        limits: { all: {}, owners: {} },
        supersede: options.supersede ?? 'waiting',
      },
    );
  /** An instance serves many requests: as long as its life is the same. */
  const apis = new WeakMap<Life, ReturnType<typeof composeApi>>();
  const usualLife = life();

  const plane: ControlPlane = {
    sites,
    bus: plainBus,
    async call(method, path, body, { owner = 'ada', key } = {}) {
      const own = options.lives?.('api') ?? usualLife;
      const app = apis.get(own) ?? apiOf(own);
      apis.set(own, app);
      const request = async () =>
        app.request(`http://api.example${path}`, {
          method,
          headers: {
            Authorization: `Bearer token-of-${owner}`,
            'Content-Type': 'application/json',
            ...(key && { 'Idempotency-Key': key }),
          },
          ...(body && { body: JSON.stringify(body) }),
        });
      const response = await own.run(request);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async deploy(request, how) {
      const body = { gitUrl: 'https://git.example/site.git', ...request };
      const answer = await plane.call('POST', '/deployments', body, how);
      if (answer.status !== 202) throw new Error(`POST /deployments: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body.deploymentId as string;
    },
    watch: (event) => invoke('task-watcher', () => runWatch(event)),
    ring,
    async record(deploymentId) {
      const stored = await storage.store.get(deploymentId);
      if (!stored) throw new Error(`no deployment ${deploymentId}`);
      return stored.record;
    },
    hold() {
      let release: () => void = () => undefined;
      gate = new Promise((r) => {
        release = r;
      });
      return release;
    },
    async idle() {
      const isQuiet = async () => {
        await plainBus.idle();
        await new Promise(setImmediate);
        return rung === 0 && waiting.size === 0 && [...running.values()].every((n) => n === 0);
      };
      // What a run did last may have put something onto the bus, and a batch may have rung.
      while (!((await isQuiet()) && (await isQuiet()))) await new Promise((r) => setTimeout(r, 2));
    },
    async close() {
      closed = true;
      await plainBus.close();
      for (const client of Object.values(clients)) client.destroy();
    },
  };
  return plane;
}
