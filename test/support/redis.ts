import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onPath } from './engines.ts';
import { freePort } from './freePort.ts';

const REDIS = onPath('redis-server');

/** Why a suite cannot have a Redis, or null. REDIS_URL names one that runs; its other keys are left alone. */
export const redisMissing = process.env.REDIS_URL || REDIS ? null : 'no REDIS_URL and no redis-server on PATH';
/** For suites that stop, restart or starve the engine: only one of their own will do. */
export const ownRedisMissing = REDIS ? null : 'no redis-server on PATH';

export interface RedisEngine {
  readonly url: string;
  /** A key prefix that nobody else uses. */
  prefix(): string;
  stop(): Promise<void>;
}

export interface OwnRedis extends RedisEngine {
  /** `kill -9`, then a start on the same port with the same data. */
  restart(): Promise<void>;
  /** `kill -9` only. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** REDIS_URL where it is set, else an engine of our own. */
export async function anyRedis(): Promise<RedisEngine> {
  const url = process.env.REDIS_URL;
  if (!url) return ownRedis();
  return { url, prefix, stop: async () => {} };
}

/** Starts a Redis on a free loopback port with every write synced to its append-only file. */
export async function ownRedis(): Promise<OwnRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'veren-redis-'));
  const port = await freePort();
  let child: ChildProcess | null = null;

  async function start() {
    const settings = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'yes', appendfsync: 'always' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    child = spawn(REDIS!, args, { stdio: 'ignore' });
    await answering(port);
  }
  async function kill() {
    const running = child;
    child = null;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    prefix,
    start,
    kill,
    async restart() {
      await kill();
      await start();
    },
    async stop() {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const prefix = () => `test-${randomUUID()}`;

async function answering(port: number): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => 20 });
  redis.on('error', () => {});
  try {
    await redis.connect().catch(() => {});
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
