import { GUARD, HEAD, LINES, NOW, NUMBERS, ROW, SWEEP, SWEPT, script, TELL } from "./lua.ts";

/** 3 subject key, 4 tail of the id, 5 subject, 6 iat, 7 exp, 8 end, 9 jkt, 10 user agent, 11 address, 12 the rest. */
export const OPEN = script(
  SWEPT,
  HEAD,
  NOW,
  NUMBERS,
  ROW,
  SWEEP,
  `
local ABC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
local born = math.max(now, tonumber(everything) + 1, epoch(ARGV[3]) + 1)
-- A revocation must reach every birth, also those that were pushed past the clock, and after the clock has moved back.
if born > meta('born') then redis.call('HSET', META, 'born', int(born)) end
local sid, rest = ARGV[4], born
for _ = 1, 8 do
  local digit = rest % 64
  sid = ABC:sub(digit + 1, digit + 1) .. sid
  rest = (rest - digit) / 64
end
local row = { ARGV[3], ARGV[5], int(born), '0', ARGV[6], ARGV[7], ARGV[8], 'null', '0', 'null', ARGV[9], int(now) }
row[ENDED], row[WHY], row[AGENT], row[ADDRESS], row[FIXED] = 'null', 'null', ARGV[10], ARGV[11], ARGV[12]
keep(sid, row)
redis.call('ZADD', INDEX, 0, ARGV[3] .. sid)
sweepNow()
return { sid, lines(row) }`,
);

/**
 * The table of `rotation.ts`, line by line, without a function: it is run more often than anything that writes. 3 sid,
 * 4 subject, 5 gen, 6 nonce, 7 jkt, 8 iat, 9 exp, 10 grace, 11 user agent, 12 address. Answers the outcome, then the lines
 * of the row, if any.
 */
const EXCHANGE = `
local sid, nonce = ARGV[3], ARGV[6]
local text = redis.call('HGET', SESSIONS, sid)
if not text then return 'session_unknown' end
local key, subject, born, gen, issued, exp, last, rotated, raced, op, jkt, used, ended, why, agent, address, rest =
  text:match(${LINES})
if subject ~= ARGV[4] then return 'session_unknown' end
local outcome, writes
local start, finish = tonumber(born), tonumber(last)
local all, own = tonumber(everything), tonumber(redis.call('HGET', EPOCHS, key) or 0)
if ended == 'null' and (start <= all or start <= own) then
  ended = string.format('%.0f', math.max(all, own))
  why = start <= all and '"everything"' or '"subject"'
end
local behind = tonumber(gen) - ARGV[5]
if ended ~= 'null' or now >= finish or exp ~= 'null' and now >= exp * 1000 then
  outcome = 'session_ended'
elseif behind == 1 and op == nonce then
  outcome = 'rotated'
elseif behind <= 0 then
  outcome, writes = behind == 0 and 'rotated' or 'healed', true
  gen, issued, exp, op = string.format('%.0f', ARGV[5] + 1), ARGV[8], ARGV[9], nonce
  rotated = string.format('%.0f', now)
  used = rotated
  if finish < math.huge then
    finish = math.floor(finish / 1000)
    if exp == 'null' or tonumber(exp) > finish then exp = string.format('%.0f', finish) end
  end
  if ARGV[11] ~= 'null' then agent = ARGV[11] end
  if ARGV[12] ~= 'null' then address = ARGV[12] end
elseif behind == 1 and rotated ~= 'null' and tonumber(ARGV[10]) > 0
  and now - rotated <= tonumber(ARGV[10]) and jkt == ARGV[7] then
  outcome, writes = 'raced', true
  raced = string.format('%.0f', raced + 1)
else
  outcome = 'reused'
  ended, why = string.format('%.0f', now), '"reused"'
end
local row = { key, subject, born, gen, issued, exp, last, rotated, raced, op, jkt, used, ended, why, agent, address,
  text:sub(rest) }
text = table.concat(row, ',\\n')
if writes then redis.call('HSET', SESSIONS, sid, text) end`;

/** Exchanges a refresh token; theft is found, but not written. */
export const ROTATE = script(
  ["meta", "epochs", "sessions"],
  GUARD,
  HEAD,
  NOW,
  EXCHANGE,
  `
return outcome .. '\\n' .. text`,
);

/** The same, and theft ends the session. 13 channel, 14 key of the session, 15 until when it counts. */
export const PUNISH = script(
  ["meta", "epochs", "sessions", "live", "due", "feed"],
  GUARD,
  HEAD,
  NOW,
  EXCHANGE,
  NUMBERS,
  ROW,
  TELL,
  `
if outcome == 'reused' then
  keep(sid, row)
  tell(ARGV[13], 'flag', ARGV[14], '', flag(ARGV[14], ARGV[15]))
end
return outcome .. '\\n' .. text`,
);

/** 3 sid. */
export const READ = script(
  ["meta", "epochs", "sessions"],
  GUARD,
  HEAD,
  NUMBERS,
  ROW,
  `
local row = seen(find(ARGV[3]))
return row and lines(row) or ''`,
);

/** 3 subject key. Answers ids and rows by turns. */
export const LIST = script(
  ["meta", "epochs", "sessions", "index"],
  GUARD,
  HEAD,
  NOW,
  NUMBERS,
  ROW,
  `
local found = {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', INDEX, '[' .. ARGV[3], '[' .. ARGV[3] .. '\\255')) do
  local sid = member:sub(#ARGV[3] + 1)
  local row = seen(find(sid))
  if row and not over(row) then
    found[#found + 1] = sid
    found[#found + 1] = lines(row)
  end
end
return found`,
);

/** 3 sid. */
export const TOUCH = script(
  ["meta", "sessions"],
  GUARD,
  HEAD,
  NOW,
  NUMBERS,
  ROW,
  `
local row = find(ARGV[3])
if row then
  row[USED] = int(math.max(tonumber(row[USED]), now))
  redis.call('HSET', SESSIONS, ARGV[3], lines(row))
end
return ''`,
);
