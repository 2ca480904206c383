import { GUARD, HEAD, NOW, NUMBERS, SECOND, script } from "./lua.ts";

/** Where the feed stands. The heartbeat shows that this primary takes writes. */
export const TIP = script(
  ["meta"],
  GUARD,
  HEAD,
  NOW,
  NUMBERS,
  SECOND,
  `
redis.call('HSET', META, 'beat', int(now))
local seq, mark = unpack(redis.call('HMGET', META, 'seq', 'mark'))
return { generation, seq, mark, int(now), everything, int(second) }`,
);

/** 3 the number read last, 4 how many to read. Answers the mark of that number, if it is known, and what follows. */
export const SINCE = script(
  ["meta", "feed"],
  GUARD,
  HEAD,
  `
local at = ARGV[3] .. '-0'
if ARGV[3] == '0' then return { generation, redis.call('XRANGE', FEED, at, '+', 'COUNT', ARGV[4]) } end
local entries = redis.call('XRANGE', FEED, at, '+', 'COUNT', ARGV[4] + 1)
local mark = ''
if entries[1] and entries[1][1] == at then
  local fields = table.remove(entries, 1)[2]
  mark = fields[#fields]
end
return { mark, entries }`,
);

/**
 * A page of `live`, in the order of its ends, then of key; 3 and 4 are those of the last one of the page before, 5 how many.
 * An entry only ever moves towards the end, and no cursor of Redis is used: after a failover it would mean something else.
 */
export const PAGE = script(
  ["meta", "epochs", "live"],
  GUARD,
  HEAD,
  `
local function isAfter(key, score)
  if tonumber(score) ~= tonumber(ARGV[3]) then return tonumber(score) > tonumber(ARGV[3]) end
  -- Redis compares bytes; Lua would compare by the rules of a language.
  for at = 1, math.min(#key, #ARGV[4]) do
    if key:byte(at) ~= ARGV[4]:byte(at) then return key:byte(at) > ARGV[4]:byte(at) end
  end
  return #key > #ARGV[4]
end
local first, last = 0, redis.call('ZCARD', LIVE)
while first < last do
  local middle = math.floor((first + last) / 2)
  if isAfter(unpack(redis.call('ZRANGE', LIVE, middle, middle, 'WITHSCORES'))) then last = middle else first = middle + 1 end
end
local page = { everything }
local found = ARGV[5] == '0' and {} or redis.call('ZRANGE', LIVE, first, first + ARGV[5] - 1, 'WITHSCORES')
for at = 1, #found, 2 do
  page[#page + 1] = found[at]
  page[#page + 1] = found[at + 1]
  page[#page + 1] = redis.call('HGET', EPOCHS, found[at]) or ''
end
return page`,
);
