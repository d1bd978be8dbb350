import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { IAMClient } from '@aws-sdk/client-iam';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DEFAULT_REGION } from '../../contract/names.ts';
import { listenOnLoopback } from '../awsProtocol/listen.ts';
import { CustomResources } from './cloudformation/customResources.ts';
import { emulatorStacks } from './cloudformation/emulatorStacks.ts';
import { cloudFormationCalls } from './cloudformation/server.ts';
import { settleEngines } from './cloudformation/settle.ts';
import { StackDeployer } from './cloudformation/stackDeployer.ts';
import { Edge } from './cloudfront/edge.ts';
import { KeyValueStores } from './cloudfront/keyValueStores.ts';
import { deployedKafka, deployedSource, feedFunction } from './eventSource.ts';
import { deployedUsers, redisContainer, setRedisUsers } from './redisUsers.ts';
import { trustSessions } from './roleSessions.ts';
import { containerAddress, streamedApi } from './streamedApi.ts';

export interface DevBridgeOptions {
  /** The emulator's address. */
  readonly emulator: string;
  /** Where what is meant for the bridge arrives: by host name, as it does at AWS. */
  readonly port: number;
  readonly log: (message: string) => void;
}

const LOOK_MS = 2_000;
const PREFIX = 'veren-dev-';
/** CloudFormation's own bucket for answers of custom resources. */
const RESPONSE_HOST = `https://cloudformation-custom-resource-response-apsouth1.s3.${DEFAULT_REGION}.amazonaws.com`;

type Serve = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The account that the emulator is. */
const ACCOUNT = '123456789012';

/**
 * Does for the deployed stage `dev` what the emulator that runs it in containers leaves out: CloudFormation's custom
 * resources, CloudFront's functions and their store, streams of REST APIs, polling of Kafka for event-projector, the
 * functions' users in Redis, and sessions in trust policies.
 */
export async function startDevBridge({ emulator, port, log }: DevBridgeOptions): Promise<{ close(): Promise<void> }> {
  const region = DEFAULT_REGION;
  // The key that the emulator takes for the account's root.
  const sdk = { endpoint: emulator, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const [lambda, secrets, iam] = [new LambdaClient(sdk), new SecretsManagerClient(sdk), new IAMClient(sdk)];
  const stacks = emulatorStacks({ emulator, region });
  const stores = new KeyValueStores(ACCOUNT);
  const customs = new CustomResources(lambda, RESPONSE_HOST, stores);
  const deployer = new StackDeployer(stacks, customs, () => settleEngines({ emulator, region }), log);
  const edge = new Edge({ sdk, lambda, emulator, stores });
  const served: readonly (readonly [host: RegExp, serve: Serve])[] = [
    [/\.cloudfront\.net$/, (request, response) => edge.serve(request, response)],
    [/\.cloudfront-kvs\.global\.api\.aws$/, (request, response) => stores.serve(request, response)],
    [
      /\.execute-api\./,
      streamedApi({ emulator, region, addressOf: (name, event) => containerAddress(lambda, name, event) }),
    ],
    [/^cloudformation[.-]/, cloudFormationCalls({ emulator, region, stacks, deployer, customs })],
  ];
  const server = await listenOnLoopback(
    createServer(async (request, response) => {
      const host = String(request.headers.host).split(':')[0]!;
      const serve = served.find(([pattern]) => pattern.test(host))?.[1];
      if (!serve) return void response.writeHead(404).end();
      await serve(request, response).catch((e: Error) => {
        log(`${request.method} https://${host}${request.url} failed: ${e.stack}`);
        if (!response.headersSent) response.writeHead(502);
        response.end();
      });
    }),
    port,
  );

  let lastFault = '';
  const onError = (e: unknown) => {
    const fault = `${(e as Error).name}: ${(e as Error).message}`;
    if (fault !== lastFault) log(`something failed and is tried again: ${fault}`); // once, however often it is tried
    lastFault = fault;
  };
  let feed: { readonly to: string; readonly end: () => Promise<void> } | undefined;
  async function followSource(): Promise<void> {
    const source = await deployedSource(lambda, `${PREFIX}event-projector`);
    const kafka = source && (await deployedKafka(lambda, `${PREFIX}task-watcher`));
    const to = source && kafka ? `${source.functionArn} ${kafka.KAFKA_BROKERS}` : undefined;
    if (feed?.to === to) return;
    await feed?.end();
    feed = undefined;
    if (!source || !kafka || !to) return;
    feed = { to, end: await feedFunction({ lambda, source, kafka, region, onError }) };
    log(`${source.functionArn} is fed with ${source.topics.join(', ')} of ${kafka.KAFKA_BROKERS}`);
  }
  let usersSet = '';
  async function followUsers(): Promise<void> {
    const container = await redisContainer();
    if (!container) return;
    const users = await deployedUsers({ emulator, region, lambda, secrets });
    const wanted = JSON.stringify([container, users]);
    if (wanted === usersSet || users.length === 0) return;
    await setRedisUsers(container, users);
    usersSet = wanted;
    log(`Redis has the users ${users.map(({ name }) => name).join(', ')}`);
  }

  async function followRoles(): Promise<void> {
    const changed = await trustSessions(iam, lambda);
    if (changed.length > 0) log(`sessions may assume ${changed.join(', ')}`);
  }

  const stop = new AbortController();
  const repeatUntilStopped = async (work: () => Promise<unknown>) => {
    while (!stop.signal.aborted) {
      await work().catch(onError);
      await sleep(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  const loops = [repeatUntilStopped(followSource), repeatUntilStopped(followUsers), repeatUntilStopped(followRoles)];
  return {
    async close() {
      stop.abort();
      await Promise.all(loops);
      await feed?.end();
      await server.close();
    },
  };
}
