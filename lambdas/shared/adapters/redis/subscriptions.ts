import type { Redis } from 'ioredis';
import type { Subscriptions } from '../../ports.ts';
import { withRedisRetry } from './available.ts';
import { parseCaller } from './caller.ts';
import type { RedisPortOptions } from './options.ts';
import { changeScript, readScript, scriptRunner } from './scripts.ts';

/** API Gateway ends a WebSocket connection after two hours at most, so an older one has ended without a message. */
const LIFETIME_MS = 2.25 * 3_600_000;

/** `owner:{connection}` (the caller), `subjects:{connection}` (set), and `listeners:{subject}`: connections by the time they end at most. */
const LIBRARY = `
local function keep(key, lifetime) redis.call('PEXPIRE', key, lifetime) end
local function ownerKey(c) return base .. 'owner:' .. c end
local function subjectsKey(c) return base .. 'subjects:' .. c end
local function listenersKey(s) return base .. 'listeners:' .. s end
`;

/** args: connection, subject, lifetime (ms). */
const SUBSCRIBE = changeScript(
  LIBRARY,
  `
  local lifetime = redis.call('PTTL', ownerKey(args[1]))
  if lifetime <= 0 then return '' end
  redis.call('ZREMRANGEBYSCORE', listenersKey(args[2]), '-inf', now)
  redis.call('ZADD', listenersKey(args[2]), now + lifetime, args[1])
  keep(listenersKey(args[2]), args[3])
  redis.call('SADD', subjectsKey(args[1]), args[2])
  keep(subjectsKey(args[1]), lifetime)
  return '1'`,
);

/** args: subjects. */
const SUBSCRIBERS = readScript(
  LIBRARY,
  `
  local found, known = {}, {}
  for _, subject in ipairs(args) do
    for _, c in ipairs(redis.call('ZRANGEBYSCORE', listenersKey(subject), '(' .. now, '+inf')) do
      if not known[c] then table.insert(found, c) end
      known[c] = true
    end
  end
  return found`,
);

/** args: connection. */
const DISCONNECT = changeScript(
  LIBRARY,
  `
  for _, subject in ipairs(redis.call('SMEMBERS', subjectsKey(args[1]))) do
    redis.call('ZREM', listenersKey(subject), args[1])
  end
  redis.call('DEL', subjectsKey(args[1]), ownerKey(args[1]))
  return '1'`,
  { allowOom: true },
);

export function redisSubscriptions(redis: Redis, { prefix }: RedisPortOptions): Subscriptions {
  const base = `${prefix}:{connections}:`;
  const scripts = scriptRunner(redis, base);
  return {
    async connect(connectionId, caller) {
      await withRedisRetry(() => redis.set(`${base}owner:${connectionId}`, JSON.stringify(caller), 'PX', LIFETIME_MS));
    },
    callerOf: async (connectionId) =>
      parseCaller((await withRedisRetry(() => redis.get(`${base}owner:${connectionId}`))) ?? ''),
    async subscribe(connectionId, subject) {
      await scripts.run(SUBSCRIBE, connectionId, subject, LIFETIME_MS);
    },
    subscribers: async (subjects) => (await scripts.run(SUBSCRIBERS, ...subjects)) as string[],
    async disconnect(connectionId) {
      await scripts.run(DISCONNECT, connectionId);
    },
  };
}
