import { changeScript, readScript } from './scripts.ts';

/**
 * Where a job is, besides its hash `job:{id}`:
 * - waiting and due: `group:{group}`, by number of addition; a group is the jobs of one project and owner
 * - waiting for its time: `delayed`, by time
 * - active: `active`, by end of lease, and counted in `holders`
 * - active with an expired lease: `lapsed`, not counted, and in its group again
 * `heads` holds the groups by their oldest job. All jobs of a group have the same limits, so the oldest job that may be
 * claimed is the head of the first group within them: a claim looks at groups, never at the jobs behind a head.
 */
const LIBRARY = `
-- Redis's clock may be set back, or another server with another clock may take its place: then times go on from where they were.
local clock = redis.call('HMGET', base .. 'clock', 'last', 'ahead')
local last, ahead = tonumber(clock[1] or 0), tonumber(clock[2] or 0)
if wall < last then ahead = ahead + last - wall end
local now = wall + ahead
local function jobKey(id) return base .. 'job:' .. id end
local function groupKey(group) return base .. 'group:' .. group end
local ACTIVE, LAPSED, DELAYED = base .. 'active', base .. 'lapsed', base .. 'delayed'
local HEADS, HOLDERS, ENDED = base .. 'heads', base .. 'holders', base .. 'ended'

local function ownerAndProject(group)
  local cut = string.find(group, '\\0', 1, true)
  return string.sub(group, cut + 1), string.sub(group, 1, cut - 1)
end

local function setHead(group)
  local head = redis.call('ZRANGE', groupKey(group), 0, 0, 'WITHSCORES')
  if head[1] then redis.call('ZADD', HEADS, head[2], group) else redis.call('ZREM', HEADS, group) end
end

local function join(id)
  local job = redis.call('HMGET', jobKey(id), 'group', 'number')
  redis.call('ZADD', groupKey(job[1]), job[2], id)
  setHead(job[1])
end

local function leaveGroup(id, group)
  if redis.call('ZREM', groupKey(group), id) == 1 then setHead(group) end
end

local function hold(group, by)
  local owner, project = ownerAndProject(group)
  for _, field in ipairs({'o:' .. owner, 'p:' .. project}) do
    if redis.call('HINCRBY', HOLDERS, field, by) <= 0 then redis.call('HDEL', HOLDERS, field) end
  end
end

local function held(field) return tonumber(redis.call('HGET', HOLDERS, field) or 0) end

-- Takes a job out of wherever it is.
local function leave(id)
  local group = redis.call('HGET', jobKey(id), 'group')
  if redis.call('ZREM', ACTIVE, id) == 1 then
    hold(group, -1)
  else
    redis.call('ZREM', LAPSED, id)
    redis.call('ZREM', DELAYED, id)
    leaveGroup(id, group)
  end
end

local function activate(id, leaseUntil)
  leave(id)
  redis.call('ZADD', ACTIVE, leaseUntil, id)
  redis.call('HSET', jobKey(id), 'leaseUntil', leaseUntil)
  hold(redis.call('HGET', jobKey(id), 'group'), 1)
end

local function wait(id, runAt)
  leave(id)
  redis.call('HDEL', jobKey(id), 'leaseUntil')
  redis.call('HSET', jobKey(id), 'runAt', runAt)
  if runAt <= now then join(id) else redis.call('ZADD', DELAYED, runAt, id) end
end

local function finish(id, keepMs)
  leave(id)
  redis.call('DEL', jobKey(id))
  redis.call('ZADD', ENDED, now, id)
  redis.call('ZREMRANGEBYSCORE', ENDED, '-inf', '(' .. (now - keepMs))
end

local function isActive(id) return redis.call('HEXISTS', jobKey(id), 'leaseUntil') == 1 end

local function addJob(id, group, ...)
  if redis.call('EXISTS', jobKey(id)) == 1 or redis.call('ZSCORE', ENDED, id) then return '' end
  redis.call('HSET', jobKey(id), 'number', redis.call('INCR', base .. 'numbers'), 'addedAt', now, 'runAt', now,
    'attempt', 1, 'id', id, 'group', group, ...)
  join(id)
  return '1'
end
`;

/**
 * Stores the time, to the second, for a script that changes something, so that the next one sees a clock that was set
 * back.
 */
const KEEP_CLOCK = `
if wall < last or wall - last >= 1000 then redis.call('HSET', base .. 'clock', 'last', wall, 'ahead', ahead) end
`;
const LIBRARY_OF_CHANGE = LIBRARY + KEEP_CLOCK;

/** Number of arguments of `addJob` for one job: id, group, three fields and values. */
export const ARGUMENTS_OF_JOB = 8;
/**
 * For scripts of other keys: `addTo(base, first)` enqueues in the queue of that base the jobs in the arguments from
 * `first` on. The keys lie in another hash slot, so these scripts need a Redis that is not a cluster.
 */
export const ADD_TO = `
local function addTo(base, first)
  ${LIBRARY}
  for i = first, #args, ${ARGUMENTS_OF_JOB} do addJob(unpack(args, i, i + ${ARGUMENTS_OF_JOB} - 1)) end
end
`;

/** args: id, group, then field and value pairs of the hash. '1' where it was added. */
export const ADD = changeScript(LIBRARY_OF_CHANGE, 'return addJob(unpack(args))');

/**
 * args: lease (ms), limits: global, per owner, per project, of single owners (JSON). A JSON list: '1' where its lease had expired, then the
 * hash.
 */
export const TAKE = changeScript(
  LIBRARY_OF_CHANGE,
  `
  local lease, global, perOwner, perProject = tonumber(args[1]), tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local limitOf = cjson.decode(args[5])
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELAYED, '-inf', now)) do
    redis.call('ZREM', DELAYED, id)
    join(id)
  end
  local ended = redis.call('ZRANGEBYSCORE', ACTIVE, '-inf', now, 'WITHSCORES')
  for i = 1, #ended, 2 do
    leave(ended[i])
    redis.call('ZADD', LAPSED, ended[i + 1], ended[i])
    join(ended[i])
  end
  if redis.call('ZCARD', ACTIVE) >= global then return '' end
  local function mayHave(group)
    local owner, project = ownerAndProject(group)
    return held('o:' .. owner) < (limitOf[owner] or perOwner) and held('p:' .. project) < perProject
  end
  local function give(id, lapsed)
    activate(id, now + lease)
    return cjson.encode({lapsed, unpack(redis.call('HGETALL', jobKey(id)))})
  end
  for _, id in ipairs(redis.call('ZRANGE', LAPSED, 0, -1)) do
    if mayHave(redis.call('HGET', jobKey(id), 'group')) then return give(id, '1') end
  end
  local from, page = 0, 100
  while true do
    local groups = redis.call('ZRANGE', HEADS, from, from + page - 1)
    for _, group in ipairs(groups) do
      if mayHave(group) then return give(redis.call('ZRANGE', groupKey(group), 0, 0)[1], '') end
    end
    if #groups < page then return '' end
    from = from + page
  end`,
);

/** args: id, lease (ms). */
export const EXTEND = changeScript(
  LIBRARY_OF_CHANGE,
  `
  if not isActive(args[1]) then return '' end
  activate(args[1], now + tonumber(args[2]))
  return '1'`,
  { allowOom: true },
);

/** args: id, then field and value pairs, the fields with the prefix of notes. */
export const NOTE = changeScript(
  LIBRARY_OF_CHANGE,
  `
  if redis.call('EXISTS', jobKey(args[1])) == 0 then return '' end
  if #args > 1 then redis.call('HSET', jobKey(args[1]), unpack(args, 2)) end
  return '1'`,
);

/** args: id, base of the other queue, number of note arguments, these as in NOTE, then the arguments of each job. */
export const HAND_ON = changeScript(
  LIBRARY_OF_CHANGE + ADD_TO,
  `
  local notes = tonumber(args[3])
  if redis.call('EXISTS', jobKey(args[1])) == 0 then return '' end
  if notes > 0 then redis.call('HSET', jobKey(args[1]), unpack(args, 4, 3 + notes)) end
  addTo(args[2], 4 + notes)
  return '1'`,
);

/** args: id, how long an ended job's id is remembered (ms). */
export const COMPLETE = changeScript(
  LIBRARY_OF_CHANGE,
  `
  if redis.call('EXISTS', jobKey(args[1])) == 0 then return '' end
  finish(args[1], tonumber(args[2]))
  return '1'`,
  { allowOom: true },
);

/** args: as COMPLETE. 'removed', 'active', or '' where there is none. */
export const REMOVE = changeScript(
  LIBRARY_OF_CHANGE,
  `
  if redis.call('EXISTS', jobKey(args[1])) == 0 then return '' end
  if isActive(args[1]) then return 'active' end
  finish(args[1], tonumber(args[2]))
  return 'removed'`,
  { allowOom: true },
);

/** args: id, attempt, delay (ms), prefix of notes, then field and value pairs of the next attempt's notes. */
export const RETRY = changeScript(
  LIBRARY_OF_CHANGE,
  `
  local id = args[1]
  if not isActive(id) or redis.call('HGET', jobKey(id), 'attempt') ~= args[2] then return '' end
  for _, field in ipairs(redis.call('HKEYS', jobKey(id))) do
    if string.sub(field, 1, #args[4]) == args[4] then redis.call('HDEL', jobKey(id), field) end
  end
  if #args > 4 then redis.call('HSET', jobKey(id), unpack(args, 5)) end
  redis.call('HINCRBY', jobKey(id), 'attempt', 1)
  wait(id, now + tonumber(args[3]))
  return '1'`,
  { allowOom: true },
);

/** args: id, delay (ms). */
export const RELEASE = changeScript(
  LIBRARY_OF_CHANGE,
  `
  if not isActive(args[1]) then return '' end
  wait(args[1], now + tonumber(args[2]))
  return '1'`,
  { allowOom: true },
);

/** args: state. The time, then the hash of each job. */
export const LIST = readScript(
  LIBRARY,
  `
  local found = {now}
  local function show(ids)
    for _, id in ipairs(ids) do table.insert(found, redis.call('HGETALL', jobKey(id))) end
  end
  if args[1] == 'active' then
    show(redis.call('ZRANGE', ACTIVE, 0, -1))
    show(redis.call('ZRANGE', LAPSED, 0, -1))
  else
    for _, group in ipairs(redis.call('ZRANGE', HEADS, 0, -1)) do
      for _, id in ipairs(redis.call('ZRANGE', groupKey(group), 0, -1)) do
        if not isActive(id) then show({id}) end
      end
    end
    show(redis.call('ZRANGE', DELAYED, 0, -1))
  end
  return found`,
);
