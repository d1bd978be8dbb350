import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { ensureTopics } from '../local/adapters/kafka/topics.ts';
import { anyKafka, kafkaMissing } from '../test/support/kafka.ts';
import { anyRedis, redisMissing } from '../test/support/redis.ts';
import type { Operations, Pace, Received } from './_logs.ts';
import { median } from './_stats.ts';

const FOLLOWERS = 100;
const ROUNDS = 3;
const SECONDS = 5;
const RAW_TOPIC = 'bench-raw';

/**
 * Log lines from the builder's reporter (`presented`: a line after splitting and masking) through Kafka, the projector and
 * Redis to 100 followers (`followLog`, what the log-streamer runs per connection; without HTTP), against kafkajs producing the
 * same lines, one message each, to one kafkajs consumer. Both at the same pace, alternating, on the same broker; the
 * builders, the projector and the followers are a process each. A line carries the time at which it was printed.
 */
export async function run(): Promise<void> {
  const missing = redisMissing ?? kafkaMissing;
  if (missing) return console.log(`skipped: ${missing}`);
  const [redis, broker] = await Promise.all([anyRedis(), anyKafka()]);
  const args = [broker.brokers, redis.url, redis.prefix()];
  const kafka = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING });
  await ensureTopics(kafka, { partitions: 3, replicas: 1 });
  const processes = [part(args), part(args), part(args)] as const;
  try {
    await measure(kafka, processes);
  } finally {
    for (const { child } of processes) child.kill();
    await Promise.all([redis.stop(), broker.stop()]);
  }
}

async function measure(kafka: Kafka, [builders, projector, followers]: readonly [Part, Part, Part]): Promise<void> {
  await projector.ask('project');
  let serial = 0;

  async function veren(builds: number, pace: Pace): Promise<Sample> {
    const ids = Array.from({ length: builds }, () => `bench-${Date.now()}-${serial++}`);
    await builders.ask('open', ids);
    await followers.ask('follow', { ids, each: FOLLOWERS / builds, lines: pace.lines });
    // A reporter's first message waits for the build to start.
    await sleep(500);
    const start = await builders.ask('print', pace);
    return sample(await followers.ask('received'), start, pace);
  }
  async function raw(pace: Pace): Promise<Sample> {
    const topic = `${RAW_TOPIC}-${Date.now()}`;
    await createTopic(kafka, topic);
    await followers.ask('consumeRaw', { topic, lines: pace.lines });
    const start = await builders.ask('produceRaw', { topic, pace });
    return sample(await followers.ask('received'), start, pace);
  }

  const warm = { linesPerSecond: 2_000, lines: 4_000 };
  await raw(warm);
  await veren(10, warm);
  for (const linesPerSecond of [2_000, 10_000]) {
    const pace = { linesPerSecond, lines: linesPerSecond * SECONDS };
    const base: Sample[] = [];
    const sides = [10, 1].map((builds) => ({ builds, samples: [] as Sample[] }));
    for (let round = 0; round < ROUNDS; round++) {
      base.push(await raw(pace));
      for (const { builds, samples } of sides) samples.push(await veren(builds, pace));
    }
    console.log(`\n${linesPerSecond} lines/s printed for ${SECONDS} s, ${ROUNDS} rounds, medians (lowest–highest)`);
    console.log(`raw kafkajs: ${shown(base)}`);
    for (const { builds, samples } of sides) {
      console.log(`${builds} build(s), ${FOLLOWERS / builds} followers each: ${shown(samples)}`);
      const over = median(samples.map((s) => s.p99)) - median(base.map((s) => s.p99));
      console.log(`  p99 over raw: ${over} ms (goal: at most 100)`);
    }
  }
}

interface Sample extends Received {
  /** Lines per second from the first line printed to the last line received. */
  readonly rate: number;
}

const sample = (received: Received, start: number, { lines }: Pace): Sample => ({
  ...received,
  rate: lines / ((received.lastAt - start) / 1_000),
});

function shown(samples: readonly Sample[]): string {
  const range = (values: number[], unit: string) =>
    `${median(values).toFixed(0)} ${unit} (${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)})`;
  const of = (key: 'rate' | 'p50' | 'p99', unit: string) =>
    range(
      samples.map((s) => s[key]),
      unit,
    );
  const lost = samples.reduce((sum, s) => sum + s.lost, 0);
  return `${of('rate', 'lines/s')}, p50 ${of('p50', 'ms')}, p99 ${of('p99', 'ms')}, lost or repeated: ${lost}`;
}

async function createTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] });
  await admin.disconnect();
}

interface Part {
  readonly child: ChildProcess;
  ask<N extends keyof Operations>(
    name: N,
    ...input: Parameters<Operations[N]>
  ): Promise<Awaited<ReturnType<Operations[N]>>>;
}

function part(args: readonly string[]): Part {
  const child = fork(join(import.meta.dirname, '_logs.ts'), args);
  return {
    child,
    ask: (name, ...[input]) =>
      new Promise((resolve, reject) => {
        child.once('message', ({ value, error }: { value: never; error?: string }) =>
          error === undefined ? resolve(value) : reject(new Error(error)),
        );
        child.send({ name, input });
      }),
  };
}
