import { ECSClient } from '@aws-sdk/client-ecs';
import { STSClient } from '@aws-sdk/client-sts';
import { Queue, Worker } from 'bullmq';
import type { BuildJob } from '../contract/jobs.ts';
import { DEFAULT_REGION } from '../contract/names.ts';
import { mintCredentials } from '../lambdas/build-worker/services/credentials.ts';
import { runTask } from '../lambdas/build-worker/services/runTask.ts';
import { connectRedis } from '../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../lambdas/shared/adapters/redis/ports.ts';
import { controlPlane } from '../test/support/controlPlane/controlPlane.ts';
import { BUCKET, buildResources, openWorld } from '../test/support/controlPlane/world.ts';
import { anyRedis, redisMissing } from '../test/support/redis.ts';
import { percentile, timed } from './_stats.ts';
import { Steps } from './_steps.ts';

/** Jobs per run of one side; the sides alternate. */
const JOBS = 300;
const AT_ONCE = 16;
const ROUNDS = 5;
/** One after another, for the latency of a platform that is not busy. */
const SINGLES = 100;

/**
 * Accepted deployments per second (POST /deployments to 202, through the whole API handler) against BullMQ's `add`, one at a
 * time; and the time from POST to RunTask's arrival at ECS against BullMQ's add → take, one job after another. On the same
 * Redis, in the same run. While jobs are accepted nobody works on them, on either side. All functions and the doubles of ECS
 * and STS are in this one process; the analysis is a constant plan: git and AWS are not what is measured.
 */
export async function run(): Promise<void> {
  if (redisMissing) return console.log(`skipped: ${redisMissing}`);
  const engine = await anyRedis();
  const world = await openWorld();
  const client = connectRedis({ url: engine.url });
  const ports = openRedisPorts(client, { prefix: engine.prefix() });
  const started = new Moments();
  const steps = new Steps();
  const ecs = await world.ecs(
    () => plane.bus,
    (event) => void plane.watch(event),
    { onStarted: (deploymentId) => started.note(deploymentId) },
  );
  const plane = controlPlane({
    storage: ports,
    clock: { now: Date.now },
    ...world.around(ecs),
    limits: { global: 1_000_000, perOwner: 1_000_000, perProject: 1_000_000 },
    supersede: 'waiting',
    lives: (role) => steps.of(role),
    archive: { writeRecord: nothing, readRecord: async () => null, writeLog: nothing, readLog: async () => null },
  });

  const url = new URL(engine.url);
  const connection = { host: url.hostname, port: Number(url.port) };
  const raw = new Queue('bench', { connection, prefix: engine.prefix() });
  const taken = new Moments();
  const worker = new Worker('bench', async (job) => void taken.note(job.id!), {
    connection,
    prefix: raw.opts.prefix!,
    concurrency: AT_ONCE,
  });
  await worker.waitUntilReady();

  let serial = 0;
  const body = () => ({ projectId: `bench-${serial}`, gitUrl: 'https://git.example/site.git', ref: `r${serial++}` });
  const deploy = async () => {
    const at = performance.now();
    const id = await plane.deploy(body());
    return async () => (await started.of(id)) - at;
  };
  const add = async () => {
    const at = performance.now();
    const job = await raw.add('build', { ...body(), owner: 'ada' });
    return async () => (await taken.of(job.id!)) - at;
  };
  type Side = typeof deploy;
  const sdk = { region: DEFAULT_REGION, credentials: world.credentials.root };
  const ecsClient = new ECSClient({ ...sdk, endpoint: ecs.url });
  const stsClient = new STSClient({ ...sdk, endpoint: world.sts });
  const mint = mintCredentials(stsClient, buildResources(BUCKET));
  /** What AWS's SDK and its two doubles take of the way: AssumeRole, then RunTask, for a build that nobody asked for. */
  const calls = async () => {
    const at = performance.now();
    const deploymentId = `calls${serial++}`;
    const job = { deploymentId, projectId: 'bench', target: 'frontend' } as const;
    const { accessKeyId, secretAccessKey, sessionToken } = await mint(job as BuildJob, 1, 1_800);
    const given = {
      DEPLOYMENTID: deploymentId,
      BUILD_ENV: '{"DO":"exit:1"}',
      accessKeyId,
      secretAccessKey,
      sessionToken,
    };
    const environment = Object.entries(given).map(([name, value]) => ({ name, value }));
    void runTask(ecsClient, {
      config: { CLUSTER: 'builder', TASK: 'calls', CONTAINERNAME: 'calls' },
      override: { containerOverrides: [{ name: 'calls', environment }] },
      token: `${deploymentId}-frontend-1-0`,
      network: null,
      spot: false,
    });
    return async () => (await started.of(deploymentId)) - at;
  };

  /** Seconds until all are accepted, while nobody works on them; then they are worked off. */
  async function accept(side: Side, atOnce: number): Promise<number> {
    const waits: (() => Promise<number>)[] = [];
    const release = plane.hold();
    await worker.pause(true);
    let left = JOBS;
    const lane = async () => {
      while (left-- > 0) waits.push(await side());
    };
    const seconds = await timed(() => Promise.all(Array.from({ length: atOnce }, lane)));
    release();
    worker.resume();
    await Promise.all(waits.map((wait) => wait()));
    await plane.idle();
    return seconds;
  }
  /** The platform is at rest when a build's slot is free again and its task's end has been looked at. */
  async function rest(): Promise<void> {
    do {
      await new Promise((done) => setTimeout(done, 5));
      await plane.idle();
    } while ((await ports.queue.list('build', 'active')).length > 0);
  }
  async function singly(side: Side): Promise<number[]> {
    const latencies: number[] = [];
    for (let i = 0; i < SINGLES; i++) {
      latencies.push(await (await side())());
      if (side !== add) await rest();
    }
    return latencies;
  }

  /** Apart from what is measured: noting costs time. */
  async function split(): Promise<void> {
    for (let i = 0; i < SINGLES; i++) {
      const end = steps.start();
      const wait = await deploy();
      await wait();
      end(performance.now());
      await rest();
    }
  }

  try {
    for (const side of [deploy, add, calls]) await singly(side); // warm
    const rates = { veren: [] as number[], raw: [] as number[], rawAtOnce: [] as number[] };
    const waits = { veren: [] as number[], raw: [] as number[], calls: [] as number[] };
    for (let i = 0; i < ROUNDS; i++)
      for (const name of i % 2 ? (['veren', 'raw'] as const) : (['raw', 'veren'] as const))
        if (name === 'veren') {
          rates.veren.push(JOBS / (await accept(deploy, AT_ONCE)));
          waits.veren.push(...(await singly(deploy)));
          waits.calls.push(...(await singly(calls)));
        } else {
          rates.raw.push(JOBS / (await accept(add, 1)));
          rates.rawAtOnce.push(JOBS / (await accept(add, AT_ONCE)));
          waits.raw.push(...(await singly(add)));
        }
    const ratio = (a: number[], b: number[]) => (percentile(a, 0.5) / percentile(b, 0.5)).toFixed(2);
    const rate = (list: number[]) =>
      `${percentile(list, 0.5).toFixed(0)} (${Math.min(...list).toFixed(0)}–${Math.max(...list).toFixed(0)})`;
    const wait = (list: number[]) =>
      `p50 ${percentile(list, 0.5).toFixed(2)} ms, p99 ${percentile(list, 0.99).toFixed(2)} ms`;
    console.log(`accepted per second, ${AT_ONCE} clients   ${rate(rates.veren)}`);
    console.log(`BullMQ add per second, one by one ${rate(rates.raw)}; ${AT_ONCE} at once ${rate(rates.rawAtOnce)}`);
    console.log(`ratio to one by one              ${ratio(rates.veren, rates.raw)} (goal: at least 0.50)`);
    console.log(`ratio to ${AT_ONCE} at once             ${ratio(rates.veren, rates.rawAtOnce)}`);
    console.log(`POST → RunTask                   ${wait(waits.veren)}`);
    console.log(`BullMQ add → take                ${wait(waits.raw)}`);
    console.log(`ratio of p50                     ${ratio(waits.veren, waits.raw)} (goal: at most 3.00)`);
    console.log(`AssumeRole, RunTask alone        ${wait(waits.calls)}; to BullMQ ${ratio(waits.calls, waits.raw)}`);
    await split();
    console.log('where the time from POST to RunTask goes (median: began, took; calls may overlap)');
    for (const row of steps.table()) console.log(`  ${row}`);
  } finally {
    await worker.close();
    await raw.close();
    await plane.close();
    await ports.close();
    client.disconnect();
    ecsClient.destroy();
    stsClient.destroy();
    await engine.stop();
    await world.close();
  }
}

const nothing = async () => undefined;

/** When each thing happened, told as soon as it has. */
class Moments {
  readonly #seen = new Map<string, number>();
  readonly #waiting = new Map<string, (at: number) => void>();

  note(id: string): void {
    const at = performance.now();
    this.#seen.set(id, at);
    this.#waiting.get(id)?.(at);
  }

  of(id: string): Promise<number> {
    const at = this.#seen.get(id);
    return at === undefined ? new Promise((r) => this.#waiting.set(id, r)) : Promise.resolve(at);
  }
}
