import { createHash } from "node:crypto";

/**
 * A script, the number of keys it names (the first of a partition's) and its name in Redis. Every script gets all its
 * keys by name (`KEYS`), the generation that its caller remembers (`ARGV[1]`) and the time of tests (`ARGV[2]`).
 */
export interface Script {
  readonly source: string;
  readonly keys: number;
  readonly sha: string;
}

/** Puts a script together. */
export function script(keys: number, ...parts: readonly string[]): Script {
  const source = parts.join("\n").trim();
  return { source, keys, sha: createHash("sha1").update(source).digest("hex") };
}

/**
 * A write that changes nothing: a replica, and a primary that may not write, refuses the script instead of answering
 * from the past. It also lets what ends something through where memory has run out, as Redis checks that only before
 * the first write of a script; what opens sessions does without.
 */
export const GUARD = `
redis.call('HDEL', KEYS[1], '')`;

/** The keys, the check of the generation and the time. */
export const HEAD = `
local META, LIVE, EPOCHS, ROWS, INDEX, DUE, DEAD = unpack(KEYS)
if redis.call('HGET', META, 'generation') ~= ARGV[1] then return 'stale' end
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local function int(n) return string.format('%.0f', n) end
local function num(text)
  if text == 'inf' then return math.huge end
  return tonumber(text)
end
local function meta(name) return num(redis.call('HGET', META, name)) or 0 end
local function epoch(key) return num(redis.call('HGET', EPOCHS, key)) or 0 end`;

/** Session rows: the 16-byte key of the subject, then one line for each field; `encodeRow` writes the same. */
export const ROWS = `
local SUBJECT, BORN, GEN, ISSUED, EXP, END, ROTATED, RACED = 1, 2, 3, 4, 5, 6, 7, 8
local OP, JKT, USED, ENDED, WHY, AGENT, ADDRESS = 9, 10, 11, 12, 13, 14, 15
local MARGIN = 360000
local function lines(row) return table.concat(row, '\\n') end
local function find(sid)
  local text = redis.call('HGET', ROWS, sid)
  if not text then return nil end
  local row = { key = text:sub(1, 16) }
  for line in (text:sub(17) .. '\\n'):gmatch('([^\\n]*)\\n') do row[#row + 1] = line end
  return row
end
-- When the last refresh token of a row, or the row itself, has run out.
local function finish(row)
  local last = num(row[END])
  if row[EXP] ~= '' then last = math.min(last, num(row[EXP]) * 1000) end
  return last
end
local function over(row) return row[ENDED] ~= '' or now >= finish(row) end
local function finishes(row, at, why)
  if row[ENDED] == '' then row[ENDED], row[WHY] = int(at), why end
  return row
end
-- The row as epochs leave it: what began before the last one is ended, without touching every row at once.
local function seen(row)
  if not row then return nil end
  local all, own, born = meta('everything'), epoch(row.key), num(row[BORN])
  local last = math.max(all, own)
  if born > last then return row end
  return finishes(row, last, born <= all and 'everything' or 'subject')
end
local function keep(sid, row)
  redis.call('HSET', ROWS, sid, row.key .. lines(row))
  local last = row[ENDED] ~= '' and math.min(now, finish(row)) or finish(row)
  redis.call('ZADD', DUE, int(last + MARGIN), sid)
end`;

/** Entries of `live`; no key that revokes has a time to live, or memory pressure could take it. */
export const FLAGS = `
local function flag(key, expiry)
  local old = redis.call('ZSCORE', LIVE, key)
  if not old or num(old) < num(expiry) then redis.call('ZADD', LIVE, expiry, key) end
end`;

/** Takes out what may go, by the store's clock, a bounded number at a time. */
export const SWEEP = `
local function sweep(limit)
  local gone, most = 0, 0
  local function each(items, visit)
    most = math.max(most, #items)
    for _, item in ipairs(items) do visit(item) end
  end
  local function drop(from)
    return function(sid)
      local text = redis.call('HGET', ROWS, sid)
      redis.call('ZREM', from, sid)
      if not text then return end
      redis.call('HDEL', ROWS, sid)
      redis.call('ZREM', INDEX, text:sub(1, 16) .. sid)
      gone = gone + 1
    end
  end
  each(redis.call('ZRANGEBYSCORE', LIVE, '-inf', math.floor(now / 1000), 'LIMIT', 0, limit), function(key)
    redis.call('ZREM', LIVE, key)
    redis.call('HDEL', EPOCHS, key)
    gone = gone + 1
  end)
  each(redis.call('ZRANGEBYSCORE', DUE, '-inf', int(now), 'LIMIT', 0, limit), drop(DUE))
  each(redis.call('ZRANGE', DEAD, 0, limit - 1), drop(DEAD))
  return gone, most == limit
end
local function sweepNow()
  if now < meta('sweepAt') then return end
  local _, more = sweep(200)
  if not more then redis.call('HSET', META, 'sweepAt', int(now + 60000)) end
end`;

/** All sessions of now are over: they are set aside at once and taken out bit by bit. */
export const BURY = `
local function bury()
  if redis.call('EXISTS', DUE) == 1 and redis.call('EXISTS', DEAD) == 0 then redis.call('RENAME', DUE, DEAD) end
end`;
