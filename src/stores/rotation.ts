import type { EndReason, Presented, Rotation, SessionRow } from "./contract.ts";

/**
 * What happens to a refresh token: the only statement of these rules in TypeScript. Pure: `row` is the session as the
 * store holds it, `now` the store's clock in milliseconds; the answer holds the row to be written, if it differs.
 *
 * | session | generation presented | outcome |
 * |---|---|---|
 * | none, or of another subject | any | `session_unknown`; not theft |
 * | over | any | `session_ended` |
 * | live, last changed by this very call | the one before | `rotated` again: a retry after a lost answer |
 * | live | the present one | `rotated` |
 * | live | the one before, within the grace, by the same key | `raced`: the same successor again |
 * | live | the one before, later or by another key; any older one | `reused`: theft, the session ends (RFC 9700 §4.14.2) |
 * | live | a later one | `healed`: the store lost writes, as the token is ours and signed |
 */
export function decide(row: SessionRow | undefined, presented: Presented, now: number): Rotation {
  if (!row || row.subject !== presented.subject) return { outcome: "session_unknown", row: undefined };
  if (isOver(row, now)) return { outcome: "session_ended", row };
  const behind = row.gen - presented.gen;
  if (behind === 1 && row.op === presented.nonce) return { outcome: "rotated", row };
  if (behind === 0) return { outcome: "rotated", row: rotated(row, presented, now) };
  if (behind < 0) return { outcome: "healed", row: rotated(row, presented, now) };
  const since = now - (row.rotatedAt ?? Number.NEGATIVE_INFINITY);
  // Without a grace nobody races, not even in the very millisecond of the rotation.
  if (behind === 1 && presented.grace > 0 && since <= presented.grace && row.jkt === presented.jkt) {
    return { outcome: "raced", row: { ...row, racedCount: row.racedCount + 1 } };
  }
  return { outcome: "reused", row: ended(row, "reused", now) };
}

/** Whether a session is over: ended, past its last refresh token, or past its absolute end. */
export function isOver(row: SessionRow, now: number): boolean {
  const refreshEnd = row.refreshExp === undefined ? Number.POSITIVE_INFINITY : row.refreshExp * 1000;
  return row.endedAt !== undefined || now >= refreshEnd || now >= row.absoluteEnd;
}

/** A session that is ended; one that is over already keeps its reason. */
export function ended(row: SessionRow, why: EndReason, now: number): SessionRow {
  return row.endedAt === undefined ? { ...row, endedAt: now, endedWhy: why } : row;
}

function rotated(row: SessionRow, presented: Presented, now: number): SessionRow {
  const { issuedAt, refreshExp, nonce, gen, userAgent = row.userAgent, address = row.address } = presented;
  const end = Number.isFinite(row.absoluteEnd) ? Math.floor(row.absoluteEnd / 1000) : undefined;
  const exp = end === undefined || (refreshExp !== undefined && refreshExp <= end) ? refreshExp : end;
  const change = { rotatedAt: now, lastUsedAt: now, op: nonce, userAgent, address };
  return { ...row, gen: gen + 1, issuedAt, refreshExp: exp, ...change };
}

/**
 * To be asked before theft is written, and after every wait.
 * @throws Error where nobody waits for the answer any more: the caller was told that the store did not answer
 */
export function assertAwaited({ deadline }: Presented): void {
  if (deadline !== undefined && performance.now() > deadline)
    throw new Error("the exchange came too late to be judged");
}
