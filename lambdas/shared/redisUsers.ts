import { type RedisPort, redisPermissions } from './adapters/redis/permissions.ts';

/** What every key and channel in Redis starts with. */
export const REDIS_PREFIX = 'veren';

/** Functions that use Redis, each as a user of its own, and the ports that each needs. */
export const REDIS_USERS = {
  api: ['queue', 'store', 'logs', 'tickets', 'limits'],
  'clone-worker': ['queue', 'store'],
  'build-worker': ['queue', 'store'],
  'event-projector': ['queue', 'store', 'logs', 'subscriptions'],
  'task-watcher': ['queue', 'store', 'logs'],
  'git-worker': ['queue', 'store', 'limits'],
  releaser: ['queue', 'store', 'subscriptions'],
  'log-streamer': ['store:read', 'logs:read'],
  websocket: ['store:read', 'subscriptions', 'tickets'],
} as const satisfies Readonly<Record<string, readonly RedisPort[]>>;

/** ACL rules by function: the least that its ports need. */
export const redisRules = (): Record<string, string[]> =>
  Object.fromEntries(Object.entries(REDIS_USERS).map(([name, ports]) => [name, redisPermissions(REDIS_PREFIX, ports)]));
