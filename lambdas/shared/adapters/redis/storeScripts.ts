import { ADD_TO } from './queueScripts.ts';
import { changeScript, readScript } from './scripts.ts';

/**
 * `deployment:{id}` is a hash of `facts` (JSON), `version` and `request` (JSON). `projects` holds the owner of each project,
 * `index:{owner}` and `index:{owner}\0{project}` the ids by rank, `unfinished` likewise those not terminal.
 */
const LIBRARY = `
local UNFINISHED, PROJECTS = base .. 'unfinished', base .. 'projects'
local function deploymentKey(id) return base .. 'deployment:' .. id end

-- The indices forget what is so much older that its deployment is not kept any more.
local function index(id, owner, project, rank, keepMs)
  redis.call('HSETNX', PROJECTS, project, owner)
  for _, name in ipairs({owner, owner .. '\\0' .. project}) do
    redis.call('ZADD', base .. 'index:' .. name, rank, id)
    redis.call('ZREMRANGEBYSCORE', base .. 'index:' .. name, '-inf', '(' .. (rank - keepMs))
  end
end
`;

/** args: id, owner, project, rank (ms), facts, request, keep (ms), key's lifetime (ms), key or '', fingerprint; where it has a first job: base of its queue, the job's arguments. */
export const CREATE = changeScript(
  LIBRARY + ADD_TO,
  `
  local id, owner, project, rank, keepMs = args[1], args[2], args[3], tonumber(args[4]), tonumber(args[7])
  local idempotency = args[9] ~= '' and base .. 'idempotency:' .. owner .. '\\0' .. args[9]
  if idempotency then
    local known = redis.call('HMGET', idempotency, 'fingerprint', 'id')
    local kept = known[2] and redis.call('HGET', deploymentKey(known[2]), 'facts')
    if kept and known[1] ~= args[10] then return 'key-reused' end
    if kept and known[2] ~= id then return 'replayed ' .. known[2] end
  end
  local claimed = redis.call('HGET', PROJECTS, project)
  if claimed and claimed ~= owner then return 'foreign-project' end
  if redis.call('HSETNX', deploymentKey(id), 'facts', args[5]) == 1 then
    redis.call('HSET', deploymentKey(id), 'version', 1)
    redis.call('ZADD', UNFINISHED, rank, id)
  end
  redis.call('HSETNX', deploymentKey(id), 'request', args[6])
  redis.call('PEXPIRE', deploymentKey(id), keepMs)
  index(id, owner, project, rank, keepMs)
  if idempotency then
    redis.call('HSET', idempotency, 'fingerprint', args[10], 'id', id)
    redis.call('PEXPIRE', idempotency, args[8])
  end
  if args[11] then addTo(args[11], 12) end
  return 'created'`,
);

/** args: id, owner, project, rank (ms), facts, version they were made from ('' for none), '1' if terminal, keep (ms). '' where the version was another. */
export const REPLACE = changeScript(
  LIBRARY,
  `
  local id, owner, project, rank, keepMs = args[1], args[2], args[3], tonumber(args[4]), tonumber(args[8])
  if (redis.call('HGET', deploymentKey(id), 'version') or '') ~= args[6] then return '' end
  redis.call('HSET', deploymentKey(id), 'facts', args[5])
  redis.call('HINCRBY', deploymentKey(id), 'version', 1)
  redis.call('PEXPIRE', deploymentKey(id), keepMs)
  if args[6] == '' then index(id, owner, project, rank, keepMs) end
  if args[7] == '1' then redis.call('ZREM', UNFINISHED, id) else redis.call('ZADD', UNFINISHED, rank, id) end
  return '1'`,
);

/** args: id, request. '' where the deployment, or its request, is not kept. */
export const REPLACE_REQUEST = changeScript(
  LIBRARY,
  `
  if not redis.call('HGET', deploymentKey(args[1]), 'request') then return '' end
  redis.call('HSET', deploymentKey(args[1]), 'request', args[2])
  return '1'`,
);

/** args: name of the index, cursor or '', how many. The facts of each, newest first, as far as they are still kept. */
export const PAGE = readScript(
  LIBRARY,
  `
  local name, from, found = base .. 'index:' .. args[1], 0, {}
  if args[2] ~= '' then
    from = redis.call('ZREVRANK', name, args[2])
    if not from then return found end
    from = from + 1
  end
  for _, id in ipairs(redis.call('ZREVRANGE', name, from, from + tonumber(args[3]) - 1)) do
    local facts = redis.call('HGET', deploymentKey(id), 'facts')
    if facts then table.insert(found, facts) end
  end
  return found`,
);

/** args: id, owner, project. A key that has expired is gone. */
export const REMOVE = changeScript(
  LIBRARY,
  `
  local id, owner, project = args[1], args[2], args[3]
  redis.call('PEXPIRE', deploymentKey(id), 0)
  redis.call('ZREM', UNFINISHED, id)
  for _, name in ipairs({owner, owner .. '\\0' .. project}) do redis.call('ZREM', base .. 'index:' .. name, id) end
  return '1'`,
  { allowOom: true },
);

/** args: project, owner. The owner who has the claim then. */
export const CLAIM = changeScript(
  LIBRARY,
  `
  redis.call('HSETNX', PROJECTS, args[1], args[2])
  return redis.call('HGET', PROJECTS, args[1])`,
);

/** args: project, owner. '' where another owner, or none, has the claim. */
export const RELEASE = changeScript(
  LIBRARY,
  `
  if redis.call('HGET', PROJECTS, args[1]) ~= args[2] then return '' end
  redis.call('HDEL', PROJECTS, args[1])
  return '1'`,
  { allowOom: true },
);
