import type { Redis } from 'ioredis';
import type { DeploymentStore, JobQueue, RateLimit, Subscriptions, Tickets } from '../../ports.ts';
import { type RedisLogs, redisLogs } from './logs.ts';
import type { RedisPortOptions } from './options.ts';
import { redisQueue } from './queue.ts';
import { redisRateLimit } from './rateLimit.ts';
import { redisStore } from './store.ts';
import { redisSubscriptions } from './subscriptions.ts';
import { redisTickets } from './tickets.ts';

export interface RedisPorts {
  readonly queue: JobQueue;
  readonly store: DeploymentStore;
  readonly logs: RedisLogs;
  readonly subscriptions: Subscriptions;
  readonly tickets: Tickets;
  readonly rateLimit: RateLimit;
  /** Ends the connection that followers of logs share. The caller closes the client that it has given. */
  close(): Promise<void>;
}

/** The ports that Redis stands behind, on one connection. */
export function openRedisPorts(redis: Redis, options: RedisPortOptions): RedisPorts {
  const logs = redisLogs(redis, options);
  return {
    queue: redisQueue(redis, options),
    store: redisStore(redis, options),
    logs,
    subscriptions: redisSubscriptions(redis, options),
    tickets: redisTickets(redis, options),
    rateLimit: redisRateLimit(redis, options),
    close: async () => logs.close(),
  };
}
