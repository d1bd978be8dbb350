import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis } from '../../lambdas/shared/adapters/redis/connect.ts';
import { openRedisPorts } from '../../lambdas/shared/adapters/redis/ports.ts';
import type {
  DeploymentStore,
  JobQueue,
  LogChannel,
  RateLimit,
  Subscriptions,
  Tickets,
} from '../../lambdas/shared/ports.ts';
import { openMemoryPlatform } from '../../local/adapters/memory/platform.ts';
import { describeWith } from '../support/engines.ts';
import { type FakeClock, fakeClock } from '../support/fakeClock.ts';
import { anyRedis, type RedisEngine, redisMissing } from '../support/redis.ts';

/** The ports that keep something, all of one adapter. */
export interface Storage {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly logs: LogChannel;
  readonly subscriptions: Subscriptions;
  readonly tickets: Tickets;
  readonly rateLimit: RateLimit;
  readonly clock: FakeClock;
}

type Opened = Omit<Storage, 'clock'> & { close(): Promise<void> };

interface Adapter {
  readonly name: string;
  readonly missing: string | null;
  /** What all tests of a file share; gives how each opens a storage of its own. */
  setUp(): Promise<{ open(clock: FakeClock): Promise<Opened>; tearDown(): Promise<void> }>;
}

const memory: Adapter = {
  name: 'memory',
  missing: null,
  setUp: async () => ({ open: (clock) => openMemoryPlatform({ clock }), tearDown: async () => {} }),
};

const journal: Adapter = {
  name: 'memory with a journal',
  missing: null,
  async setUp() {
    const dir = await mkdtemp(join(tmpdir(), 'veren-contract-'));
    let n = 0;
    return {
      open: (clock) => openMemoryPlatform({ clock, dataDir: join(dir, String(n++)) }),
      tearDown: () => rm(dir, { recursive: true, force: true }),
    };
  },
};

const redis: Adapter = {
  name: 'Redis',
  missing: redisMissing,
  async setUp() {
    const engine: RedisEngine = await anyRedis();
    return {
      async open(clock) {
        const client = connectRedis({ url: engine.url });
        const ports = openRedisPorts(client, { prefix: engine.prefix(), clock });
        return {
          ...ports,
          async close() {
            await ports.close();
            client.disconnect();
          },
        };
      },
      tearDown: () => engine.stop(),
    };
  },
};

/** Runs a suite against every adapter. `open` gives an empty storage, which is closed after the test. */
export function overStorages(title: string, suite: (open: () => Promise<Storage>) => void): void {
  for (const adapter of [memory, journal, redis]) {
    describeWith(adapter.missing, `${title} on ${adapter.name}`, () => {
      let shared: Awaited<ReturnType<Adapter['setUp']>>;
      const opened: Opened[] = [];
      beforeAll(async () => {
        shared = await adapter.setUp();
      });
      afterEach(async () => {
        await Promise.all(opened.splice(0).map((o) => o.close()));
      });
      afterAll(() => shared.tearDown());
      suite(async () => {
        const clock = fakeClock();
        const storage = await shared.open(clock);
        opened.push(storage);
        return { ...storage, clock };
      });
    });
  }
}
