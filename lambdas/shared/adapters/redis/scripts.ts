import { createHash, randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { withRedisRetry } from './available.ts';

/** A Lua script; Redis runs one at a time and as a whole. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export type Argument = string | number;

const defineScript = (lua: string): Script => ({ lua, sha: createHash('sha1').update(lua).digest('hex') });

/** How long the reply of a call is remembered: longer than a client repeats the call. */
const REPLY_MS = 120_000;

/**
 * A script that changes something. `body` returns a string; an empty one means that nothing was changed. A call that
 * was sent twice, because the connection broke before its reply, runs once and gets the same reply twice. In the body:
 * `base` (prefix of every key), `now` (ms) and `args`.
 *
 * Where Redis is out of memory the script is refused as a whole before it starts; `allowOom` is for scripts that free
 * memory or need none. Without the flags Redis would let a script write whose first write frees memory, such as SREM.
 * Source: https://redis.io/docs/latest/develop/programmability/lua-api/#script_flags (Redis >= 7, Valkey)
 */
export const changeScript = (library: string, body: string, options: { allowOom?: boolean } = {}): Script =>
  defineScript(`#!lua${options.allowOom ? ' flags=allow-oom' : ''}
${PRELUDE}
local replyKey = base .. 'reply:' .. ARGV[1]
local reply = redis.call('GET', replyKey)
if reply then return reply end
${library}
local function main() ${body} end
reply = main()
if reply ~= '' then redis.call('SET', replyKey, reply, 'PX', ${REPLY_MS}) end
return reply`);

/** A script that only reads, to see several keys at one moment. It may return any value. */
export const readScript = (library: string, body: string): Script =>
  defineScript(`#!lua flags=no-writes\n${PRELUDE}${library}\n${body}`);

const PRELUDE = `
local base = KEYS[1]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local wall = now
local args = {unpack(ARGV, 3)}
`;

export interface ScriptRunner {
  run(script: Script, ...args: Argument[]): Promise<unknown>;
}

/**
 * Runs scripts whose keys all start with `base`. Times are Redis's own, so that the clocks of the functions do not matter;
 * `now` is for tests.
 */
export function scriptRunner(redis: Redis, base: string, now?: () => number): ScriptRunner {
  return {
    run(script, ...args) {
      const call = randomUUID();
      return withRedisRetry(() => evaluateScript(redis, script, base, [call, now?.() ?? '', ...args]));
    },
  };
}

async function evaluateScript(redis: Redis, { lua, sha }: Script, base: string, args: Argument[]): Promise<unknown> {
  try {
    return await redis.evalsha(sha, 1, base, ...args);
  } catch (e) {
    if (!(e as Error).message.startsWith('NOSCRIPT')) throw e;
    return redis.eval(lua, 1, base, ...args);
  }
}
