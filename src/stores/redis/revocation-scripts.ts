import { BURY, FLAGS, GUARD, HEAD, ROWS, SWEEP, script } from "./lua.ts";

/** 3 whether there is a session, 4 its birth, 5 iat, 6 subject key, from 7 on the entries that count. Absent is empty. */
export const IS_REVOKED = script(
  3,
  GUARD,
  HEAD,
  `
for at = 7, #ARGV do
  if redis.call('ZSCORE', LIVE, ARGV[at]) then return 1 end
end
local all, own = meta('everything'), 0
if ARGV[6] ~= '' then own = epoch(ARGV[6]) end
if ARGV[3] == '1' then return num(ARGV[4]) <= math.max(all, own) and 1 or 0 end
-- Without a session only the second of the making is known: the whole second of an epoch dies. The second in which the
-- store was made is spared, or tokens made at once could never be used.
local second = math.floor(all / 1000)
if redis.call('HGET', META, 'first') == redis.call('HGET', META, 'everything') then second = second - 1 end
second = math.max(second, math.floor(own / 1000))
return (ARGV[5] == '' or num(ARGV[5]) <= second) and 1 or 0`,
);

/** 3 kind, 4 key, 5 expiry, 6 sid. */
export const REVOKE = script(
  7,
  GUARD,
  HEAD,
  ROWS,
  FLAGS,
  SWEEP,
  BURY,
  `
local kind, key, expiry, sid = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local at = math.max(now, meta('born'))
if kind == 'everything' then
  redis.call('HSET', META, 'everything', int(math.max(at, meta('everything'))))
  redis.call('HDEL', META, 'first')
  bury()
else
  flag(key, expiry)
  if kind == 'session' then
    local row = find(sid)
    if row then keep(sid, finishes(row, now, 'logout')) end
  elseif kind == 'subject' then
    redis.call('HSET', EPOCHS, key, int(math.max(at, epoch(key))))
    for _, member in ipairs(redis.call('ZRANGEBYLEX', INDEX, '[' .. key, '[' .. key .. '\\255')) do
      redis.call('ZADD', DUE, int(now + MARGIN), member:sub(17))
    end
  end
end
sweepNow()
return ''`,
);

/** 3 access, 4 refresh. */
export const RAISE_LIMITS = script(
  1,
  GUARD,
  HEAD,
  `
local function raise(name, asked)
  local old = redis.call('HGET', META, name)
  if old and num(old) >= num(asked) then return old end
  redis.call('HSET', META, name, asked)
  return asked
end
return { raise('access', ARGV[3]), raise('refresh', ARGV[4]) }`,
);

export const SECRET = script(1, GUARD, HEAD, `return redis.call('HGET', META, 'secret')`);

export const PURGE = script(
  7,
  GUARD,
  HEAD,
  ROWS,
  SWEEP,
  `
local gone, more = sweep(1000)
return { gone, more and 1 or 0 }`,
);

/**
 * Agrees with the store on its generation, in one step. ARGV: 1 the one remembered, 2 the time of tests, 3 a new one,
 * 4 the number of partitions, 5 and 6 the limits remembered, 7 a secret. A store that holds no generation, or one that
 * has never followed the one remembered, has forgotten: it gets a new one, and all logins of before are dead. The
 * lineage holds what a generation followed, so that processes that learn of it one after the other do not each make
 * another.
 */
export const ADOPT = script(
  8,
  GUARD,
  `
local META, DUE, DEAD, LINEAGE = KEYS[1], KEYS[6], KEYS[7], KEYS[8]
local remembered = ARGV[1]
local found = redis.call('HGET', META, 'generation')
local partitions = redis.call('HGET', META, 'partitions')
if partitions and partitions ~= ARGV[4] then return { 'partitions', partitions } end
if found and (remembered == '' or remembered == found) then return { 'same', found } end
if found and redis.call('SISMEMBER', LINEAGE, remembered) == 1 then return { 'forgot', found } end
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local function num(text) return text == 'inf' and math.huge or tonumber(text) or 0 end
local function meta(name) return num(redis.call('HGET', META, name)) end
local at = string.format('%.0f', math.max(now, meta('everything'), meta('born')))
redis.call('HSET', META, 'generation', ARGV[3], 'everything', at, 'partitions', ARGV[4])
redis.call('HSETNX', META, 'secret', ARGV[7])
if num(ARGV[5]) > meta('access') then redis.call('HSET', META, 'access', ARGV[5]) end
if num(ARGV[6]) > meta('refresh') then redis.call('HSET', META, 'refresh', ARGV[6]) end
-- The second of the making is spared (IS_REVOKED) where nobody remembers an earlier time.
if found or remembered ~= '' then redis.call('HDEL', META, 'first') else redis.call('HSET', META, 'first', at) end
if found then redis.call('SADD', LINEAGE, found) end
if remembered ~= '' then redis.call('SADD', LINEAGE, remembered) end`,
  BURY,
  `
bury()
return { 'forgot', ARGV[3] }`,
);
