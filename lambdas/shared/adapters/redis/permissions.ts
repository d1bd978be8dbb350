/**
 * The least that each port needs, as rules of a Redis ACL user (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/).
 * The commands inside the scripts count as well. docs/decisions/adapters-redis-permissions.md says which function has which
 * ports; `test/lambdas/shared/adapters/redis/permissions.test.ts` checks every port against its list.
 */
export type RedisPort =
  | 'queue'
  | 'store'
  | 'store:read'
  | 'logs'
  | 'logs:read'
  | 'subscriptions'
  | 'tickets'
  | 'limits';

interface Needs {
  /** Below the prefix. */
  readonly keys: string;
  readonly channels?: string;
  readonly commands: readonly string[];
  /** Default: true. */
  readonly scripts?: boolean;
}

const wordsOf = (text: string) => text.trim().split(/\s+/);

const NEEDS: Readonly<Record<RedisPort, Needs>> = {
  queue: {
    keys: '{queue-*',
    commands: wordsOf(`
      exists del incr hset hget hmget hgetall hkeys hexists hdel hincrby
      zadd zrem zrange zrangebyscore zremrangebyscore zscore zcard`),
  },
  store: {
    keys: '{deployments}:*',
    commands: wordsOf(`
      pexpire hget hmget hgetall hset hsetnx hdel hincrby
      zadd zrem zrange zrevrange zrevrank zremrangebyscore`),
  },
  // No command here writes, so no script of such a user can write either.
  'store:read': {
    keys: '{deployments}:*',
    commands: wordsOf('hget hmget zrevrange zrevrank evalsha eval time'),
    scripts: false,
  },
  logs: {
    keys: '{log-*',
    channels: 'log:*',
    commands: wordsOf('pexpire hget hset sadd srem scard xadd xrange publish subscribe unsubscribe'),
  },
  'logs:read': {
    keys: '{log-*',
    channels: 'log:*',
    commands: wordsOf('hget scard xrange subscribe unsubscribe'),
    scripts: false,
  },
  subscriptions: {
    keys: '{connections}:*',
    commands: wordsOf('pexpire pttl del sadd smembers zadd zrem zrangebyscore zremrangebyscore'),
  },
  tickets: { keys: '{tickets}:*', commands: wordsOf('set getdel'), scripts: false },
  limits: { keys: '{limits}:*', commands: wordsOf('incr decr get pexpire'), scripts: false },
};

/** Connecting: INFO is the ready check. */
const CONNECT = wordsOf('info select');
/** Commands of every script: read the time, remember the reply. */
const SCRIPTS = wordsOf('evalsha eval time get set');

/** ACL rules for a user of these ports: to be joined with blanks, after the rules that set the password. */
export function redisPermissions(prefix: string, ports: readonly RedisPort[]): string[] {
  const needs = ports.map((port) => NEEDS[port]);
  return [
    'resetkeys',
    'resetchannels',
    '-@all',
    ...needs.map(({ keys }) => `~${prefix}:${keys}`),
    ...needs.flatMap(({ channels }) => (channels === undefined ? [] : [`&${prefix}:${channels}`])),
    ...[
      ...new Set([
        ...CONNECT,
        ...needs.flatMap(({ commands, scripts = true }) => [...(scripts ? SCRIPTS : []), ...commands]),
      ]),
    ].map((command) => `+${command}`),
  ];
}
