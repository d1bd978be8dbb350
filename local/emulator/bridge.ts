import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECSClient } from '@aws-sdk/client-ecs';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DEFAULT_REGION } from '../../contract/names.ts';
import { systemClock } from '../../lambdas/shared/clock.ts';
import { Runner } from '../ecs/runner.ts';
import { TaskStore } from '../ecs/taskStore.ts';
import type { TaskStateChange } from '../ecs/view.ts';
import { chooseBuildUsers } from '../platform/buildUsers.ts';
import { secureDataFolder } from '../platform/dataFolder.ts';
import { type HostEnv, laptopTaskDefinitions, workFolder } from '../platform/images.ts';
import { clearToolchains, clearWork, protectData } from '../platform/leftovers.ts';
import { startEcsProxy } from './ecsProxy.ts';
import { deployedKafka, deployedSource, feedFunction } from './eventSource.ts';
import { deliverStateChange } from './stateChanges.ts';
import { TaskBridge } from './taskBridge.ts';

export interface BridgeOptions {
  /** The emulator's address. */
  readonly emulator: string;
  /** Where the deployed functions ask ECS; 0 for any free port. */
  readonly port: number;
  /** Tasks, their output, toolchains. */
  readonly dataDir: string;
  readonly hostEnv: HostEnv;
  readonly log: (message: string) => void;
}

export interface Bridge {
  /** For the functions' AWS_ENDPOINT_URL_ECS. */
  readonly ecsUrl: string;
  close(): Promise<void>;
}

const LOOK_MS = 300;
const PREFIX = 'veren-local-';

/**
 * Does for the deployed stage `local` what emulators leave out: it runs ECS tasks and sends events of their ends, and
 * feeds event-projector from Kafka. May be started before a deployment of the stage, or during one.
 */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { emulator, hostEnv, log } = options;
  const dataDir = resolve(options.dataDir);
  // Emulators take any key; this one names no account of its own.
  const sdk = {
    endpoint: emulator,
    region: DEFAULT_REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const [ecs, events, lambda] = [new ECSClient(sdk), new EventBridgeClient(sdk), new LambdaClient(sdk)];
  let lastFault = '';
  const onError = (e: unknown) => {
    const fault = `${(e as Error).name}: ${(e as Error).message || (e as { code?: string }).code}`;
    if (fault !== lastFault) log(`something failed and is tried again: ${fault}`); // once, however often it is tried
    lastFault = fault;
  };

  const users = chooseBuildUsers(dataDir);
  await mkdir(dataDir, { recursive: true });
  await secureDataFolder(resolve(dataDir), users);
  const store = await TaskStore.open(resolve(dataDir, 'ecs'), systemClock, onError);
  await clearToolchains(resolve(dataDir, 'toolchains'));
  const definitions = await laptopTaskDefinitions(dataDir, hostEnv, users, { AWS_ENDPOINT_URL_S3: emulator });
  const runner = new Runner({
    store,
    clock: systemClock,
    onError,
    onTaskStateChange: (change) => tasks.tell(change),
  });
  const deliverChange = (change: TaskStateChange) => deliverStateChange({ events, lambda }, change);
  const tasks = new TaskBridge({ ecs, store, runner, definitions, deliver: deliverChange, log, onError });
  await runner.recover();
  await clearWork(workFolder(dataDir), users);
  await protectData(dataDir);
  const proxy = await startEcsProxy({ upstream: emulator, port: options.port, store });

  const stop = new AbortController();
  const repeatUntilStopped = async (work: () => Promise<unknown>) => {
    while (!stop.signal.aborted) {
      await work().catch(onError);
      await sleep(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  let endFeed: (() => Promise<void>) | undefined;
  const startFeed = async () => {
    if (endFeed) return;
    const source = await deployedSource(lambda, `${PREFIX}event-projector`);
    const kafka = source && (await deployedKafka(lambda, `${PREFIX}task-watcher`));
    if (!source || !kafka) return;
    endFeed = await feedFunction({ lambda, source, kafka, region: DEFAULT_REGION, onError });
    log(`${source.functionArn} is fed with ${source.topics.join(', ')} of ${kafka.KAFKA_BROKERS}`);
  };
  const loops = [repeatUntilStopped(() => tasks.look()), repeatUntilStopped(startFeed)];
  return {
    ecsUrl: proxy.url,
    async close() {
      stop.abort();
      await Promise.all(loops);
      await endFeed?.();
      await runner.close();
      await proxy.close();
    },
  };
}
