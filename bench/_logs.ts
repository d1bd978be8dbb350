import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaTransport } from '../builder-images/shared/kafka.ts';
import { Reporter } from '../builder-images/shared/reporter.ts';
import { TOPICS } from '../contract/names.ts';
import { projectBatch } from '../lambdas/event-projector/project.ts';
import { kafkaBus } from '../lambdas/shared/adapters/kafka/bus.ts';
import { connectRedis } from '../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../lambdas/shared/adapters/redis/ports.ts';
import { followLog } from '../lambdas/shared/logs/followLog.ts';
import { buildKey, signedBus } from '../lambdas/shared/signing.ts';
import { consumeAsLambda } from '../local/adapters/kafka/consumeAsLambda.ts';
import { frontendPlan } from '../test/support/events.ts';
import { silentLog } from '../test/support/log.ts';
import { SIGNING } from '../test/support/signing.ts';

/**
 * One process of the benchmark `logs`: builders, the projector, or followers. Arguments: brokers, Redis's URL, key prefix.
 * Its parent asks for one operation at a time.
 */
const [brokers = '', redisUrl = '', prefix = ''] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
const ports = openRedisPorts(connectRedis({ url: redisUrl }), { prefix });
const nothing = async () => undefined;
const archive = { writeRecord: nothing, readRecord: async () => null, writeLog: nothing, readLog: async () => null };

export interface Pace {
  readonly linesPerSecond: number;
  readonly lines: number;
}
export interface Received {
  /** Line times followers. */
  readonly lines: number;
  /** Gaps and repeats in the sequence numbers, and lines of the builders that never came. */
  readonly lost: number;
  /** Milliseconds from line printed to line received. */
  readonly p50: number;
  readonly p99: number;
  readonly lastAt: number;
}

/** Latencies in whole milliseconds: millions of them. */
class Latencies {
  readonly #counts = new Uint32Array(120_000);
  #total = 0;
  lastAt = 0;
  /** A line begins with the time at which it was printed. */
  add(line: string): void {
    this.lastAt = Date.now();
    const ms = Math.max(0, this.lastAt - Number.parseInt(line, 10));
    this.#counts[Math.min(ms, this.#counts.length - 1)]!++;
    this.#total++;
  }
  received(expected: number, faults = 0): Received {
    const lost = expected - this.#total + faults;
    return { lines: this.#total, lost, p50: this.#at(0.5), p99: this.#at(0.99), lastAt: this.lastAt };
  }
  #at(p: number): number {
    let sum = 0;
    return this.#counts.findIndex((count) => {
      sum += count;
      return sum >= p * this.#total;
    });
  }
}

const PADDING = ' npm http fetch GET 200 https://registry.example/some-package/-/some-package-1.2.3.tgz';
const text = () => `${Date.now()}${PADDING}`;

/** Calls `print` with how many lines are due, every 10 ms, until all are printed. */
async function paced({ linesPerSecond, lines }: Pace, print: (due: number) => Promise<void>): Promise<number> {
  const start = Date.now();
  for (let printed = 0; printed < lines; ) {
    const due = Math.min(lines, Math.floor(((Date.now() - start) / 1_000) * linesPerSecond)) - printed;
    if (due > 0) await print(due);
    printed += due;
    await sleep(10);
  }
  return start;
}

const reporters = new Map<string, Reporter>();
let results: Promise<Received>;

const operations = {
  async project() {
    const nobody = { subscribers: async () => [] } as never;
    const deps = {
      ...ports,
      archive,
      archiveLog: nothing,
      subscriptions: nobody,
      waker: { wake: nothing },
      notifier: { send: async () => 'sent' as const },
      stopBuilds: nothing,
      park: nothing,
      clock: { now: Date.now },
      signing: async () => SIGNING,
      place: { bucket: 'bench' },
      refuse: console.error,
      log: silentLog,
    };
    const topics = Object.values(TOPICS);
    const handler = (event: Parameters<typeof projectBatch>[1]) => projectBatch(deps, event);
    await consumeAsLambda({ kafka, groupId: randomUUID(), topics, handler, onError: console.error });
  },

  /** Builds that have started and said something. */
  async open(ids: string[]) {
    const plain = kafkaBus(kafka);
    const bus = signedBus(plain, async () => SIGNING);
    for (const deploymentId of ids) {
      const publish = (type: string, body: object) => {
        const at = new Date().toISOString();
        const event = { v: 1, id: `${deploymentId}-${type}`, at, deploymentId, projectId: 'bench', type, ...body };
        return bus.publish(TOPICS.events, [{ key: deploymentId, value: JSON.stringify(event) }]);
      };
      await publish('deployment.requested', { owner: 'ada', gitUrl: 'https://git.example/a.git', ref: null });
      await publish('deployment.analyzed', { plan: frontendPlan() });
      const identity = { deploymentId, projectId: 'bench', target: 'frontend', attempt: 1 } as const;
      await publish('build.started', { target: 'frontend', attempt: 1, taskArn: 'arn:task', nodeVersion: 24 });
      const aws = { AWS_REGION: '', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: '' };
      const reporter = new Reporter({
        identity,
        transport: kafkaTransport(
          {
            KAFKA_BROKERS: brokers,
            KAFKA_SECURITY: 'plaintext',
            ...aws,
            EVENT_SIGNING_KEY: buildKey(SIGNING, identity),
          },
          deploymentId,
        ),
        mask: { mask: (line: string) => line } as never,
        now: Date.now,
      });
      reporter.phaseStarted('build');
      reporters.set(deploymentId, reporter);
    }
    await plain.close();
  },

  async print(pace: Pace) {
    const all = [...reporters.values()];
    let next = 0;
    const start = await paced(pace, async (due) => {
      for (let i = 0; i < due; i++) all[next++ % all.length]!.presented('stdout', text());
      await Promise.all(all.map((r) => r.room()));
    });
    const artifact = { kind: 'static', bucket: 'b', prefix: 'p/', files: 1, bytes: 1 } as const;
    for (const taken of await Promise.all(all.map((r) => r.succeeded(artifact, 30_000))))
      if (!taken) throw new Error('the last event was not taken');
    await Promise.all(all.map((r) => r.close()));
    reporters.clear();
    return start;
  },

  /** Followers as the log-streamer's: each to the end of its deployment. Resolves when all have its record. */
  async follow({ ids, each, lines }: { ids: string[]; each: number; lines: number }) {
    for (const id of ids) while (!(await ports.store.get(id))) await sleep(20);
    const latencies = new Latencies();
    let faults = 0;
    let joined: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      joined = resolve;
    });
    let waiting = ids.length * each;
    const one = async (id: string) => {
      let seq = 0;
      const deps = { ...ports, archive, clock: { now: Date.now } };
      for await (const followed of followLog(deps, id, { after: 0, signal: new AbortController().signal })) {
        if (followed.kind === 'record' && seq === 0 && --waiting === 0) joined();
        if (followed.kind !== 'lines') continue;
        for (const line of followed.lines) {
          if (line.seq !== ++seq) faults++;
          latencies.add(line.line);
        }
      }
    };
    const all = ids.flatMap((id) => Array.from({ length: each }, () => one(id)));
    results = Promise.all(all).then(() => latencies.received(lines * each, faults));
    await ready;
  },

  async consumeRaw({ topic, lines }: { topic: string; lines: number }) {
    const consumer = kafka.consumer({ groupId: randomUUID() });
    const latencies = new Latencies();
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const joined = new Promise<void>((resolve) => void consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
    let left = lines;
    results = new Promise<void>((done) => {
      void consumer.run({
        eachBatch: async ({ batch }) => {
          for (const message of batch.messages) latencies.add(String(message.value));
          left -= batch.messages.length;
          if (left <= 0) done();
        },
      });
    }).then(async () => {
      await consumer.disconnect();
      return latencies.received(lines);
    });
    await joined;
  },

  async produceRaw({ topic, pace }: { topic: string; pace: Pace }) {
    const producer = kafka.producer({ maxInFlightRequests: 1 });
    await producer.connect();
    const start = await paced(pace, async (due) => {
      const messages = Array.from({ length: due }, () => ({ value: text() }));
      await producer.send({ topic, messages, acks: -1 });
    });
    await producer.disconnect();
    return start;
  },

  received: () => results,
};
export type Operations = typeof operations;

process.on('message', ({ name, input }: { name: keyof Operations; input: never }) => {
  operations[name](input).then(
    (value) => process.send?.({ value: value ?? null }),
    (e: Error) => process.send?.({ error: e.stack }),
  );
});
process.on('disconnect', () => process.exit(0));
