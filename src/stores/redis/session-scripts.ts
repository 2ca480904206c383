import { FLAGS, GUARD, HEAD, ROWS, SWEEP, script } from "./lua.ts";

/** 3 subject key, 4 tail of the id, 5 subject, 6 iat, 7 exp, 8 end, 9 jkt, 10 user agent, 11 address, 12 the rest. */
export const OPEN = script(
  7,
  HEAD,
  ROWS,
  SWEEP,
  `
local ABC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
local born = math.max(now, meta('everything') + 1, epoch(ARGV[3]) + 1)
-- A revocation must reach every birth, also those that were pushed past the clock, and after the clock has moved back.
if born > meta('born') then redis.call('HSET', META, 'born', int(born)) end
local sid, rest = ARGV[4], born
for _ = 1, 8 do
  local digit = rest % 64
  sid = ABC:sub(digit + 1, digit + 1) .. sid
  rest = (rest - digit) / 64
end
local row = { ARGV[5], int(born), '0', ARGV[6], ARGV[7], ARGV[8], '', '0', '', ARGV[9], int(now), '', '' }
row[AGENT], row[ADDRESS], row[16], row.key = ARGV[10], ARGV[11], ARGV[12], ARGV[3]
keep(sid, row)
redis.call('ZADD', INDEX, 0, ARGV[3] .. sid)
sweepNow()
return { sid, lines(row) }`,
);

/**
 * The table of `rotation.ts`, line by line. 3 sid, 4 subject, 5 gen, 6 nonce, 7 jkt, 8 iat, 9 exp, 10 grace,
 * 11 key of the session, 12 expiry of its entry, 13 user agent, 14 address, 15 whether theft is written or only found.
 */
export const ROTATE = script(
  7,
  GUARD,
  HEAD,
  ROWS,
  FLAGS,
  `
local sid, gen = ARGV[3], num(ARGV[5])
local row = seen(find(sid))
if not row or row[SUBJECT] ~= ARGV[4] then return { 'session_unknown', '' } end
if over(row) then return { 'session_ended', lines(row) } end
local function rotated()
  local exp = ARGV[9]
  local last = num(row[END])
  if last < math.huge then
    last = math.floor(last / 1000)
    if exp == '' or num(exp) > last then exp = int(last) end
  end
  row[GEN], row[ISSUED], row[EXP] = int(gen + 1), ARGV[8], exp
  row[ROTATED], row[USED], row[OP] = int(now), int(now), ARGV[6]
  if ARGV[13] ~= '' then row[AGENT] = ARGV[13] end
  if ARGV[14] ~= '' then row[ADDRESS] = ARGV[14] end
end
local behind = num(row[GEN]) - gen
local outcome
if behind == 1 and row[OP] == ARGV[6] then
  return { 'rotated', lines(row) }
elseif behind == 0 then
  outcome = 'rotated'
  rotated()
elseif behind < 0 then
  outcome = 'healed'
  rotated()
elseif behind == 1 and row[ROTATED] ~= '' and num(ARGV[10]) > 0
  and now - num(row[ROTATED]) <= num(ARGV[10]) and row[JKT] == ARGV[7] then
  outcome = 'raced'
  row[RACED] = int(num(row[RACED]) + 1)
else
  outcome = 'reused'
  finishes(row, now, 'reused')
  if ARGV[15] ~= '1' then return { outcome, lines(row) } end
  flag(ARGV[11], ARGV[12])
end
keep(sid, row)
return { outcome, lines(row) }`,
);

/** 3 sid. */
export const READ = script(
  4,
  GUARD,
  HEAD,
  ROWS,
  `
local row = seen(find(ARGV[3]))
return row and lines(row) or ''`,
);

/** 3 subject key. Answers ids and rows by turns. */
export const LIST = script(
  5,
  GUARD,
  HEAD,
  ROWS,
  `
local found = {}
for _, member in ipairs(redis.call('ZRANGEBYLEX', INDEX, '[' .. ARGV[3], '[' .. ARGV[3] .. '\\255')) do
  local sid = member:sub(17)
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
  4,
  GUARD,
  HEAD,
  ROWS,
  `
local row = find(ARGV[3])
if row then
  row[USED] = int(math.max(num(row[USED]), now))
  redis.call('HSET', ROWS, ARGV[3], row.key .. lines(row))
end
return ''`,
);
