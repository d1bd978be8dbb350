/**
 * The least that each port needs, as rules of a Redis ACL user (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/).
 * The commands inside the scripts count as well. docs/decisions/adapters-redis-permissions.md says which function has which
 * ports; `test/lambdas/shared/adapters/redis/permissions.test.ts` holds every port to its list.
 */
export type RedisPort = 'queue' | 'store' | 'logs' | 'subscriptions';

interface Needs {
  /** Below the prefix. */
  readonly keys: string;
  readonly channels?: string;
  readonly commands: readonly string[];
}

const NEEDS: Readonly<Record<RedisPort, Needs>> = {
  queue: {
    keys: '{queue-*',
    commands: [
      'exists',
      'hset',
      'hget',
      'hmget',
      'hgetall',
      'hkeys',
      'hexists',
      'hdel',
      'hincrby',
      'incr',
      'del',
    ].concat(['zadd', 'zrem', 'zrange', 'zrangebyscore', 'zremrangebyscore', 'zscore', 'zcard']),
  },
  store: {
    keys: '{deployments}:*',
    commands: ['hget', 'hmget', 'hset', 'hsetnx', 'hincrby', 'pexpire', 'zadd', 'zrem', 'zrange', 'zrevrange'].concat([
      'zrevrank',
      'zremrangebyscore',
    ]),
  },
  logs: {
    keys: '{log-*',
    channels: 'log:*',
    commands: [
      'hget',
      'hset',
      'sadd',
      'srem',
      'scard',
      'xadd',
      'xrange',
      'pexpire',
      'publish',
      'subscribe',
      'unsubscribe',
    ],
  },
  subscriptions: {
    keys: '{connections}:*',
    commands: ['pexpire', 'pttl', 'del', 'sadd', 'smembers', 'zadd', 'zrem', 'zrangebyscore', 'zremrangebyscore'],
  },
};

/** Connecting (INFO is the ready check), and what every script does: know the time, remember its reply. */
const COMMON = ['info', 'select', 'evalsha', 'eval', 'time', 'get', 'set'];

/** ACL rules for a user of these ports: to be joined with blanks, after the rules that set the password. */
export function redisPermissions(prefix: string, ports: readonly RedisPort[]): string[] {
  const needs = ports.map((port) => NEEDS[port]);
  return [
    'resetkeys',
    'resetchannels',
    '-@all',
    ...needs.map(({ keys }) => `~${prefix}:${keys}`),
    ...needs.flatMap(({ channels }) => (channels === undefined ? [] : [`&${prefix}:${channels}`])),
    ...[...new Set([...COMMON, ...needs.flatMap(({ commands }) => commands)])].map((command) => `+${command}`),
  ];
}
