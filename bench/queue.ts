import { Queue, Worker } from 'bullmq';
import { connectRedis } from '../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../lambdas/shared/adapters/redis/ports.ts';
import { controlPlane } from '../test/support/controlPlane/controlPlane.ts';
import { BUCKET, openWorld } from '../test/support/controlPlane/world.ts';
import { anyRedis, redisMissing } from '../test/support/redis.ts';
import { percentile, timed } from './_stats.ts';

/** Jobs per run of one side; the sides alternate. */
const JOBS = 400;
const AT_ONCE = 16;
const ROUNDS = 5;
/** One after another, for the latency of a platform that is not busy. */
const SINGLES = 200;

/**
 * Accepted deployments per second (POST /deployments to 202, through the whole API handler) against BullMQ's `add`, and the
 * time from POST to RunTask against BullMQ's add → take, on the same Redis in the same run. Both sides' workers are in this
 * process; ECS is a double that answers at once, and the analysis a constant plan: git and AWS are not what is measured.
 */
export async function run(): Promise<void> {
  if (redisMissing) return console.log(`skipped: ${redisMissing}`);
  const engine = await anyRedis();
  const world = await openWorld();
  const client = connectRedis({ url: engine.url });
  const ports = openRedisPorts(client, { prefix: engine.prefix() });
  const started = new Map<string, number>();
  const ecs = await world.ecs(
    () => plane.bus,
    (event) => void plane.watch(event),
    { onStarted: (deploymentId) => started.set(deploymentId, performance.now()) },
  );
  const plane = controlPlane({
    storage: ports,
    clock: { now: Date.now },
    endpoints: { ecs: ecs.url, sts: world.sts, s3: world.s3Url },
    credentials: world.credentials.root,
    bucket: BUCKET,
    limits: { global: 1_000_000, perOwner: 1_000_000, perProject: 1_000_000 },
    supersede: 'waiting',
    archive: { writeRecord: nothing, readRecord: async () => null, writeLog: nothing, readLog: async () => null },
  });

  const url = new URL(engine.url);
  const connection = { host: url.hostname, port: Number(url.port) };
  const raw = new Queue('bench', { connection, prefix: engine.prefix() });
  const taken = new Map<string, number>();
  const worker = new Worker('bench', async (job) => void taken.set(job.id!, performance.now()), {
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
    return async () => (await when(started, id)) - at;
  };
  const add = async () => {
    const at = performance.now();
    const job = await raw.add('build', { ...body(), owner: 'ada' });
    return async () => (await when(taken, job.id!)) - at;
  };
  type Side = typeof deploy;

  /** Seconds until all are accepted, `AT_ONCE` at a time; then waits until all were started. */
  async function accept(side: Side): Promise<number> {
    const waits: (() => Promise<number>)[] = [];
    let left = JOBS;
    const lane = async () => {
      while (left-- > 0) waits.push(await side());
    };
    const seconds = await timed(() => Promise.all(Array.from({ length: AT_ONCE }, lane)));
    await Promise.all(waits.map((wait) => wait()));
    await plane.idle();
    return seconds;
  }
  async function singly(side: Side): Promise<number[]> {
    const latencies: number[] = [];
    for (let i = 0; i < SINGLES; i++) {
      latencies.push(await (await side())());
      await plane.idle();
    }
    return latencies;
  }

  try {
    for (const side of [deploy, add]) await singly(side); // warm
    const rates = { veren: [] as number[], raw: [] as number[] };
    const waits = { veren: [] as number[], raw: [] as number[] };
    for (let i = 0; i < ROUNDS; i++)
      for (const name of i % 2 ? (['veren', 'raw'] as const) : (['raw', 'veren'] as const)) {
        const side = name === 'veren' ? deploy : add;
        rates[name].push(JOBS / (await accept(side)));
        waits[name].push(...(await singly(side)));
      }
    const rate = (list: number[]) => percentile(list, 0.5);
    const show = (list: number[]) =>
      `p50 ${percentile(list, 0.5).toFixed(2)} ms, p99 ${percentile(list, 0.99).toFixed(2)} ms`;
    const range = (list: number[]) => `${Math.min(...list).toFixed(0)}–${Math.max(...list).toFixed(0)}`;
    console.log(
      `accepted per second   Veren ${rate(rates.veren).toFixed(0)} (${range(rates.veren)}), BullMQ ${rate(rates.raw).toFixed(0)} (${range(rates.raw)})`,
    );
    console.log(`ratio                 ${(rate(rates.veren) / rate(rates.raw)).toFixed(2)} (goal: at least 0.50)`);
    console.log(`POST → RunTask        ${show(waits.veren)}`);
    console.log(`BullMQ add → take     ${show(waits.raw)}`);
    console.log(
      `ratio of p50          ${(percentile(waits.veren, 0.5) / percentile(waits.raw, 0.5)).toFixed(2)} (goal: at most 3.00)`,
    );
  } finally {
    await worker.close();
    await raw.close();
    await plane.close();
    await ports.close();
    client.disconnect();
    await engine.stop();
    await world.close();
  }
}

const nothing = async () => undefined;

/** When a thing was noted, as soon as it is. */
async function when(noted: ReadonlyMap<string, number>, id: string): Promise<number> {
  for (;;) {
    const at = noted.get(id);
    if (at !== undefined) return at;
    await new Promise((r) => setTimeout(r, 1));
  }
}
