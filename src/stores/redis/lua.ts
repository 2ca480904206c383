import { createHash } from "node:crypto";
import type { KeyName } from "./keys.ts";

/** A script, what it names its keys, and its name in Redis. */
export interface Script {
  readonly source: string;
  readonly keys: readonly KeyName[];
  readonly sha: string;
}

/**
 * Puts a script together. It gets its keys by name (`KEYS`), the generation that its caller remembers (`ARGV[1]`), the time
 * of tests (`ARGV[2]`), and what it says itself.
 */
export function script(keys: readonly KeyName[], ...parts: readonly string[]): Script {
  const source = [`local ${keys.join(", ").toUpperCase()} = unpack(KEYS)`, ...parts].join("\n").trim();
  return { source, keys, sha: createHash("sha1").update(source).digest("hex") };
}

/**
 * A write that changes nothing: a replica, and a primary that may not write, refuses the script instead of answering
 * from the past. It also lets what ends something through where memory has run out, as Redis checks that only before
 * the first write of a script; what opens sessions, or takes names, does without.
 */
export const GUARD = `
redis.call('HDEL', META, '')`;

/** The check of the generation, which also tells the epoch of everything. */
export const HEAD = `
local generation, everything = unpack(redis.call('HMGET', META, 'generation', 'everything'))
if generation ~= ARGV[1] then return 'stale' end`;

/** The time, in milliseconds. */
export const NOW = `
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end`;

/** What most scripts say numbers with. To make a function takes as long as to call Redis: hot scripts do without. */
export const NUMBERS = `
local function int(n) return string.format('%.0f', n) end
local function meta(name) return tonumber(redis.call('HGET', META, name) or 0) end
local function epoch(key) return tonumber(redis.call('HGET', EPOCHS, key) or 0) end`;

/** Up to which second of its making a token without a session is dead: the whole second of the epoch of everything is. */
export const SECOND = `
local second = math.floor(tonumber(everything) / 1000)
-- The second in which the store was made is spared, or tokens made at once could never be used.
if redis.call('HGET', META, 'first') == everything then second = second - 1 end`;

/** How a row falls into its lines, of which the last may be long. */
export const LINES = `'${"([^\\n]*),\\n".repeat(16)}()'`;

/** Session rows: the key of the subject, then JSON, a line for each field; `encodeRow` writes the same. */
export const ROW = `
local KEY, BORN, EXP, END, USED, ENDED, WHY, AGENT, ADDRESS, FIXED = 1, 3, 6, 7, 12, 13, 14, 15, 16, 17
local MARGIN = 360000
local function lines(row) return table.concat(row, ',\\n') end
local function find(sid)
  local text = redis.call('HGET', SESSIONS, sid)
  if not text then return nil end
  local row = { text:match(${LINES}) }
  row[FIXED] = text:sub(row[FIXED])
  return row
end
-- When the last refresh token of a row, or the row itself, has run out.
local function finish(row)
  return math.min(tonumber(row[END]), (tonumber(row[EXP]) or math.huge) * 1000)
end
local function over(row) return row[ENDED] ~= 'null' or now >= finish(row) end
local function finishes(row, at, why)
  if row[ENDED] == 'null' then row[ENDED], row[WHY] = int(at), '"' .. why .. '"' end
  return row
end
-- The row as epochs leave it: what began before the last one is ended, without touching every row at once.
local function seen(row)
  if not row then return nil end
  local all, own, born = tonumber(everything), epoch(row[KEY]), tonumber(row[BORN])
  if born > all and born > own then return row end
  return finishes(row, math.max(all, own), born <= all and 'everything' or 'subject')
end
-- When a row may go.
local function goes(row)
  local last = finish(row)
  if row[ENDED] ~= 'null' then last = math.min(tonumber(row[ENDED]), last) end
  return last + MARGIN
end
local function keep(sid, row)
  redis.call('HSET', SESSIONS, sid, lines(row))
  redis.call('ZADD', DUE, int(goes(row)), sid)
end`;

/**
 * What is revoked, and the feed of it. No key that revokes has a time to live, or memory pressure could take it. Each change
 * takes the next number and is told, also where nothing is new: a call that is repeated must write, as WAIT counts the
 * replicas that hold the last write. The mark of a change is a hash of all changes up to it: where a failover lost some and
 * others took their numbers, the marks differ.
 */
export const TELL = `
local function tell(channel, kind, key, epoch, last)
  local seq = int(redis.call('HINCRBY', META, 'seq', 1))
  local mark = redis.sha1hex(table.concat({ redis.call('HGET', META, 'mark') or '', kind, key, epoch, last }, ' ')):sub(1, 16)
  redis.call('HSET', META, 'mark', mark)
  local function add()
    return redis.pcall('XADD', FEED, 'MAXLEN', '~', 100000, seq .. '-0',
      'v', '1', 'kind', kind, 'key', key, 'epoch', epoch, 'until', last, 'mark', mark)
  end
  -- A feed with other numbers in it is not ours. Readers see that theirs are gone, and read everything anew.
  if type(add()) == 'table' then
    redis.call('DEL', FEED)
    if type(add()) == 'table' then error('the feed takes no entry') end
  end
  redis.pcall('PUBLISH', channel, seq)
end
local function flag(key, last)
  local old = redis.call('ZSCORE', LIVE, key)
  if old and tonumber(old) >= tonumber(last) then return old end
  redis.call('ZADD', LIVE, last, key)
  return last
end`;

/** Takes out what may go, by the store's clock, a bounded number at a time. */
export const SWEEP = `
local function sweep(limit)
  local gone, most = 0, 0
  local function each(items, visit)
    most = math.max(most, #items)
    for _, item in ipairs(items) do visit(item) end
  end
  local function expired(key) return redis.call('ZRANGEBYSCORE', key, '-inf', int(now), 'LIMIT', 0, limit) end
  local function drop(from, sid, row)
    redis.call('ZREM', from, sid)
    if not row then return end
    redis.call('HDEL', SESSIONS, sid)
    redis.call('ZREM', INDEX, row[KEY] .. sid)
    gone = gone + 1
  end
  -- A rotation prolongs a session, but leaves here when it would have gone.
  each(expired(DUE), function(sid)
    local row = seen(find(sid))
    local last = row and goes(row) or 0
    if last > now then redis.call('ZADD', DUE, int(last), sid) else drop(DUE, sid, row) end
  end)
  each(redis.call('ZRANGE', DEAD, 0, limit - 1), function(sid) drop(DEAD, sid, find(sid)) end)
  each(expired(LIVE), function(key)
    redis.call('ZREM', LIVE, key)
    redis.call('HDEL', EPOCHS, key)
    gone = gone + 1
  end)
  each(expired(SPENT), function(name) gone = gone + redis.call('ZREM', SPENT, name) end)
  return gone, most == limit
end
local function sweepNow()
  if now < meta('sweepAt') then return end
  local _, more = sweep(200)
  if not more then redis.call('HSET', META, 'sweepAt', int(now + 60000)) end
end`;

/** What sweeping names. */
export const SWEPT = ["meta", "epochs", "sessions", "live", "index", "due", "dead", "spent"] as const;

/** All sessions of now are over: they are set aside at once and taken out bit by bit. */
export const BURY = `
local function bury()
  if redis.call('EXISTS', DUE) == 1 and redis.call('EXISTS', DEAD) == 0 then redis.call('RENAME', DUE, DEAD) end
end`;
