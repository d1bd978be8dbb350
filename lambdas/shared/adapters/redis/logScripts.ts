import { changeScript } from './scripts.ts';

/**
 * Numbers that are remembered beyond a gap. Kafka keeps an attempt's lines in order, so a gap of so many is never filled and
 * is given up: a build with arbitrary numbers must not fill the memory, nor keep a script running while others wait.
 */
export const MAX_AHEAD = 50_000;

/**
 * `lines` is a stream whose entry ids are `{seq}-0`; `meta` a hash of `last` (seq), `bytes`, and per attempt `next:{attempt}`:
 * the first number of a line that was not seen. Numbers seen out of order, beyond it, are in the set `ahead:{attempt}`.
 */
const LIBRARY = `
local LINES, META = base .. 'lines', base .. 'meta'

local function isNew(attempt, n)
  local next = tonumber(redis.call('HGET', META, 'next:' .. attempt) or 0)
  local ahead = base .. 'ahead:' .. attempt
  if n < next then return false end
  if n > next then
    if redis.call('SADD', ahead, n) == 0 then return false end
    if redis.call('SCARD', ahead) > ${MAX_AHEAD} then
      redis.call('HSET', META, 'next:' .. attempt, n + 1)
      redis.call('PEXPIRE', ahead, 0)
    end
    return true
  end
  next = next + 1
  while redis.call('SREM', ahead, next) == 1 do next = next + 1 end
  redis.call('HSET', META, 'next:' .. attempt, next)
  return true
end
`;

/**
 * args: channel, lifetime (ms), most bytes, the line that says that these were reached (JSON), how many attempts, their
 * names; then for each line: attempt, number, bytes, JSON. How many lines were new, or ''.
 */
export const APPEND = changeScript(
  LIBRARY,
  `
  local channel, lifetime, most, lastWords, attempts = args[1], args[2], tonumber(args[3]), args[4], tonumber(args[5])
  local seq = tonumber(redis.call('HGET', META, 'last') or 0)
  local bytes = tonumber(redis.call('HGET', META, 'bytes') or 0)
  local fresh = 0
  local function write(line)
    seq = seq + 1
    redis.call('XADD', LINES, seq .. '-0', 'line', line)
  end
  for i = 6 + attempts, #args, 4 do
    if isNew(args[i], tonumber(args[i + 1])) then
      fresh = fresh + 1
      if bytes < most then
        bytes = bytes + tonumber(args[i + 2])
        write(args[i + 3])
        if bytes >= most then write(lastWords) end
      end
    end
  end
  if fresh == 0 then return '' end
  redis.call('HSET', META, 'last', seq, 'bytes', bytes)
  redis.call('PEXPIRE', LINES, lifetime)
  redis.call('PEXPIRE', META, lifetime)
  for i = 6, 5 + attempts do redis.call('PEXPIRE', base .. 'ahead:' .. args[i], lifetime) end
  redis.call('PUBLISH', channel, 'lines')
  return tostring(fresh)`,
);
