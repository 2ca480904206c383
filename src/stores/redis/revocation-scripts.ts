import { BURY, GUARD, HEAD, NOW, NUMBERS, ROW, SECOND, SWEEP, SWEPT, script, TELL } from "./lua.ts";

/** 3 whether there is a session, 4 its birth, 5 iat, 6 subject key, from 7 on the entries that count. Absent is empty. */
export const IS_REVOKED = script(
  ["meta", "epochs", "live"],
  GUARD,
  HEAD,
  `
for at = 7, #ARGV do
  if redis.call('ZSCORE', LIVE, ARGV[at]) then return 1 end
end
local own = ARGV[6] ~= '' and tonumber(redis.call('HGET', EPOCHS, ARGV[6]) or 0) or 0
if ARGV[3] == '1' then return tonumber(ARGV[4]) <= math.max(tonumber(everything), own) and 1 or 0 end`,
  SECOND,
  `
second = math.max(second, math.floor(own / 1000))
return (ARGV[5] == '' or tonumber(ARGV[5]) <= second) and 1 or 0`,
);

/** 3 channel, 4 kind, 5 key, 6 until when it counts, in milliseconds, 7 sid. */
export const REVOKE = script(
  [...SWEPT, "feed"],
  GUARD,
  HEAD,
  NOW,
  NUMBERS,
  ROW,
  TELL,
  SWEEP,
  BURY,
  `
local channel, kind, key, last, sid = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local at = math.max(now, meta('born'))
if kind == 'everything' then
  at = int(math.max(at, tonumber(everything)))
  redis.call('HSET', META, 'everything', at)
  redis.call('HDEL', META, 'first')
  bury()
  tell(channel, 'epoch', key, at, 'inf')
elseif kind == 'subject' then
  at = int(math.max(at, epoch(key)))
  redis.call('HSET', EPOCHS, key, at)
  for _, member in ipairs(redis.call('ZRANGEBYLEX', INDEX, '[' .. key, '[' .. key .. '\\255')) do
    redis.call('ZADD', DUE, int(now + MARGIN), member:sub(#key + 1))
  end
  tell(channel, 'epoch', key, at, flag(key, last))
else
  if kind == 'session' then
    local row = find(sid)
    if row then keep(sid, finishes(row, now, 'logout')) end
  end
  tell(channel, 'flag', key, '', flag(key, last))
end
sweepNow()
return ''`,
);

/**
 * 3 the key of a name, 4 until when it is taken, in milliseconds. What has run out is taken out a little at a time, so that
 * many names stay cheap.
 */
export const SPEND = script(
  ["meta", "spent"],
  HEAD,
  NOW,
  `
local taken = redis.call('ZSCORE', SPENT, ARGV[3])
if taken and tonumber(taken) > now then return 0 end
redis.call('ZADD', SPENT, ARGV[4], ARGV[3])
for _, name in ipairs(redis.call('ZRANGEBYSCORE', SPENT, '-inf', string.format('%.0f', now), 'LIMIT', 0, 10)) do
  redis.call('ZREM', SPENT, name)
end
return 1`,
);

/** 3 access, 4 refresh. */
export const RAISE_LIMITS = script(
  ["meta"],
  GUARD,
  HEAD,
  `
local function raise(name, asked)
  local old = redis.call('HGET', META, name)
  if old and tonumber(old) >= tonumber(asked) then return old end
  redis.call('HSET', META, name, asked)
  return asked
end
return { raise('access', ARGV[3]), raise('refresh', ARGV[4]) }`,
);

export const SECRET = script(["meta"], GUARD, HEAD, `return redis.call('HGET', META, 'secret')`);

export const PURGE = script(
  SWEPT,
  GUARD,
  HEAD,
  NOW,
  NUMBERS,
  ROW,
  SWEEP,
  `
local gone, more = sweep(1000)
return { gone, more and 1 or 0 }`,
);

/**
 * Agrees with the store on its generation, in one step. ARGV: 1 the one remembered, 2 the time of tests, 3 a new one,
 * 4 the number of partitions, 5 and 6 the limits remembered, 7 a secret, from 8 on the generations before the one
 * remembered. A store that holds no generation, or one that has never followed the one remembered, has forgotten: it gets a
 * new one, and all logins of before are dead. The lineage holds what a generation followed, so that processes that learn of
 * it one after the other, or of the last of several, do not each make another.
 */
export const ADOPT = script(
  ["meta", "due", "dead", "feed", "lineage"],
  GUARD,
  `
local remembered = ARGV[1]
local found = redis.call('HGET', META, 'generation')
local partitions = redis.call('HGET', META, 'partitions')
if partitions and partitions ~= ARGV[4] then return { 'partitions', partitions } end
if found and (remembered == '' or remembered == found) then return { 'same', found } end
if found and redis.call('SISMEMBER', LINEAGE, remembered) == 1 then return { 'forgot', found } end`,
  NOW,
  `
local function meta(name) return tonumber(redis.call('HGET', META, name) or 0) end
local at = string.format('%.0f', math.max(now, meta('everything'), meta('born')))
redis.call('DEL', FEED)
redis.call('HSET', META, 'generation', ARGV[3], 'everything', at, 'partitions', ARGV[4], 'seq', '0', 'mark', ARGV[3])
redis.call('HSETNX', META, 'secret', ARGV[7])
if tonumber(ARGV[5]) > meta('access') then redis.call('HSET', META, 'access', ARGV[5]) end
if tonumber(ARGV[6]) > meta('refresh') then redis.call('HSET', META, 'refresh', ARGV[6]) end
-- The second of the making is spared (IS_REVOKED) where nobody remembers an earlier time.
if found or remembered ~= '' then redis.call('HDEL', META, 'first') else redis.call('HSET', META, 'first', at) end
if found then redis.call('SADD', LINEAGE, found) end
if remembered ~= '' then redis.call('SADD', LINEAGE, remembered, unpack(ARGV, 8)) end`,
  BURY,
  `
bury()
return { 'forgot', ARGV[3] }`,
);
