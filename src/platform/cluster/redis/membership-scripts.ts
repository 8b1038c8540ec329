import { NODE_TTL_MS } from '../ports';
import { redisKey, type Script } from './redis-commands';

/**
 * What the nodes of an installation know together of who is there and who holds what, as scripts. Redis forgets all of it
 * when it restarts, and so does a replica that takes over without it.
 *
 * The rule of the generation. A generation is a time in which at least one node got through every SILENCE_MS. It ends when
 * none did (Redis was away, hung or restarted empty), since then leases may be gone whose holders live. In its first
 * SETTLE_MS, and until each node that has come back has held again, nobody is said to hold nothing: the answer is "unknown".
 *
 * A node is late after SILENCE_MS without a beat, and lost when it has been late for CONFIRM_MS of the same generation and its
 * NODE_TTL_MS are over: for so long others got through, and it did not. While the generation settles none is. Holders count as long as their node is not lost, not
 * by their own time alone. A lost node stays known for MISSING_MS: it may be cut off, with its connections.
 *
 * All times are Redis' own. Each script answers with the generation.
 */

/** One and a half of the time between two beats. */
const SILENCE_MS = 7500;
/** Of a node that is late, before it is lost. */
const CONFIRM_MS = 5000;
const SETTLE_MS = 30_000;
/** After its last beat a lost node is known for so long. */
export const MISSING_MS = 120_000;
/** Keys per call: Redis does nothing else meanwhile. */
export const MOST_KEYS = 500;

const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`;

/** KEYS[1..6] of all scripts but the claim's. */
const NODES = `
local generation, nodes, late, since, held, info = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local function forget(id)
  redis.call('ZREM', nodes, id)
  redis.call('HDEL', late, id) redis.call('HDEL', since, id) redis.call('HDEL', held, id) redis.call('HDEL', info, id)
end
-- How long until the node is lost, if it stays silent: 0 where it is; nil where it is not late.
local function untilLost(id, expiry)
  local mark = redis.call('HGET', late, id)
  if not mark then return nil end
  local settled = tonumber(redis.call('HGET', generation, 'at') or now) + ${SETTLE_MS}
  return math.max(0, expiry - now, tonumber(mark) + ${CONFIRM_MS} - now, settled - now)
end
`;

/**
 * ARGV: node, what others are told of it, a name or '', a new generation should one begin, that of its last beat or '',
 * then the nodes that it saw last. Answers: generation, 1 where the node has to hold again, 1 where it was lost, ms until the
 * next late node is lost or -1, then per node id, 1 where it is lost, and what is told of it.
 */
export const BEAT: Script = {
  name: 'beat',
  lua: `${NOW}${NODES}
local names = KEYS[7]
local id, about, name, candidate, known = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local g = redis.call('HMGET', generation, 'id', 'beat')
local current = g[1]
local isNew = not current or now - tonumber(g[2]) > ${SILENCE_MS}
if isNew then
  current = candidate
  redis.call('DEL', late)
  redis.call('HSET', generation, 'id', current, 'at', now)
end
redis.call('HSET', generation, 'beat', now)
-- What an earlier generation knew: those nodes may be on their way back.
if known ~= '' and known ~= current then
  for i = 6, #ARGV do redis.call('ZADD', nodes, 'NX', now, ARGV[i]) end
end
if name ~= '' then
  local before = redis.call('HGET', names, name)
  if before and before ~= id and tonumber(redis.call('ZSCORE', nodes, before) or now) <= now then forget(before) end
  redis.call('HSET', names, name, id)
end
local expiry = tonumber(redis.call('ZSCORE', nodes, id) or 0)
local wasLost = not isNew and (known == current and expiry == 0 or expiry > 0 and untilLost(id, expiry) == 0)
if isNew or expiry <= now then
  redis.call('HSET', since, id, now)
  redis.call('HDEL', held, id)
end
redis.call('ZADD', nodes, now + ${NODE_TTL_MS}, id)
redis.call('HDEL', late, id)
redis.call('HSET', info, id, about)
for _, other in ipairs(redis.call('ZRANGEBYSCORE', nodes, '-inf', now - ${MISSING_MS - NODE_TTL_MS})) do forget(other) end
local answer = { current, redis.call('HGET', held, id) == current and 0 or 1, wasLost and 1 or 0, -1 }
local all = redis.call('ZRANGE', nodes, 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  local other, expires = all[i], tonumber(all[i + 1])
  if now - (expires - ${NODE_TTL_MS}) > ${SILENCE_MS} then redis.call('HSETNX', late, other, now) end
  local left = untilLost(other, expires)
  if left and left > 0 and (answer[4] < 0 or left < answer[4]) then answer[4] = left end
  answer[#answer + 1] = other
  answer[#answer + 1] = left == 0 and 1 or 0
  answer[#answer + 1] = redis.call('HGET', info, other) or ''
end
return answer
`,
};

/** Answers the same as BEAT's list, without a beat: per node that sent one in its time its id, and what is told of it. */
export const LIST: Script = {
  name: 'nodes',
  lua: `${NOW}${NODES}
local answer = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', nodes, '(' .. string.format('%.0f', now), '+inf')) do
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HGET', info, id) or ''
end
return answer
`,
};

/** ARGV: node. It stops, and is not missing. */
export const LEAVE: Script = { name: 'leave', lua: `${NODES}forget(ARGV[1])\n` };

/**
 * KEYS[7…]: of leases. ARGV: node, '' or the generation under which it has now held all that it holds, then per key the holder
 * and ms to hold, 0 to drop. Answers the generation, '' where there is none.
 */
export const HOLD: Script = {
  name: 'hold',
  lua: `${NOW}${NODES}
local id, all = ARGV[1], ARGV[2]
local current = redis.call('HGET', generation, 'id') or ''
if all ~= '' and all == current and redis.call('ZSCORE', nodes, id) then redis.call('HSET', held, id, all) end
for i = 7, #KEYS do
  local key, holder, ms = KEYS[i], ARGV[2 * i - 11], tonumber(ARGV[2 * i - 10])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if ms == 0 then
    redis.call('ZREM', key, holder)
  else
    redis.call('ZADD', key, now + ms, holder)
    if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
  end
end
return current
`,
};

/**
 * KEYS[7…]: of leases. Answers the generation, then 0: what is not held is held by nobody; 1: a node is missing that may hold
 * it; 2: unknown; then the numbers of the keys that are held, from 0.
 */
export const HELD: Script = {
  name: 'held',
  lua: `${NOW}${NODES}
local g = redis.call('HMGET', generation, 'id', 'at')
local current = g[1] or ''
local isUnknown = current == '' or now - tonumber(g[2]) < ${SETTLE_MS}
local isMissing = false
local counts = {}
local all = redis.call('ZRANGE', nodes, 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  local id = all[i]
  if untilLost(id, tonumber(all[i + 1])) == 0 then
    isMissing = true
  else
    counts[id] = true
    local from = tonumber(redis.call('HGET', since, id) or 0)
    if redis.call('HGET', held, id) ~= current and now - from < ${SETTLE_MS} then isUnknown = true end
  end
end
local answer = { current, isUnknown and 2 or isMissing and 1 or 0 }
for i = 7, #KEYS do
  for _, holder in ipairs(redis.call('ZRANGEBYSCORE', KEYS[i], '(' .. string.format('%.0f', now), '+inf')) do
    if counts[string.match(holder, '^[^/]*')] then
      answer[#answer + 1] = i - 7
      break
    end
  end
end
return answer
`,
};

/** KEYS: the claim. ARGV: holder, ms; 'claim' or 'renew'. Answers 1 where the holder has it. */
export const CLAIM: Script = {
  name: 'claim',
  lua: `${NOW}
local c = redis.call('HMGET', KEYS[1], 'holder', 'until')
local isTaken = c[1] and tonumber(c[2]) > now
if isTaken and c[1] ~= ARGV[1] or not isTaken and ARGV[3] == 'renew' then return 0 end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`,
};

/** KEYS: the claim. ARGV: holder. */
export const UNCLAIM: Script = {
  name: 'unclaim',
  lua: `if redis.call('HGET', KEYS[1], 'holder') == ARGV[1] then redis.call('DEL', KEYS[1]) end\n`,
};

/** Where the nodes stand with the time, by Redis' clock in ms, after which they do not count as alive unless they beat again. */
export function registryKey(installation: string): string {
  return redisKey(installation, 'nodes');
}

/** The first keys of the scripts about nodes. */
export function nodeKeys(installation: string): readonly string[] {
  return ['generation', 'nodes', 'nodes:late', 'nodes:since', 'nodes:held', 'nodes:info'].map((part) =>
    redisKey(installation, part),
  );
}
