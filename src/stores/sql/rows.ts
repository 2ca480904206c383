import type { EndReason, SessionRow } from "../contract.ts";
import { ended } from "../rotation.ts";
import type { Row } from "./engine.ts";

/** Stands for `Infinity`: the greatest number that every driver reads exactly. */
export const FOREVER: number = Number.MAX_SAFE_INTEGER;

/** A moment or a number of seconds as a column holds it. @throws TypeError for what is no number */
export function toColumn(value: number): number {
  if (Number.isNaN(value)) throw new TypeError("the store was given a time that is no number");
  return Math.min(FOREVER, Math.max(-FOREVER, Math.trunc(value)));
}

/** The number in a column; drivers answer numbers, bigints or text. */
export function fromColumn(value: unknown): number {
  const number = Number(value);
  if (value === null || value === undefined || Number.isNaN(number))
    throw new TypeError("the store holds no number there");
  return number >= FOREVER ? Number.POSITIVE_INFINITY : number;
}

const optional = (value: unknown): number | undefined =>
  value === null || value === undefined ? undefined : fromColumn(value);

/** The bytes in a column; libsql answers them as an `ArrayBuffer`. */
export function bytesOf(value: unknown): Buffer {
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError("the store holds no bytes there");
}

/** What `sessionOf` needs. */
export const SESSION_COLUMNS = [
  ...["detail", "born", "gen", "auth_time", "issued_at", "refresh_exp", "absolute_end", "rotated_at", "raced_count"],
  ...["op", "csrf_seed", "last_used_at", "ended_at", "ended_why", "user_agent", "address"],
] as const;

/** A text as a column holds it. Escaped, it may be any string: PostgreSQL refuses NUL in text, and drivers of SQLite cut text there. */
export const textColumn = (value: string | undefined): string | null =>
  value === undefined ? null : JSON.stringify(value);

const fromText = (value: unknown): string | undefined =>
  typeof value === "string" ? (JSON.parse(value) as string) : undefined;

/** What nobody searches for, as one JSON text, as it was at the login. */
export function detailOf(row: SessionRow): string {
  const { sid, subject, claims, headers, userAgent, address, jkt } = row;
  return JSON.stringify({ sid, subject, claims, headers, userAgent, address, jkt });
}

/** A name as operators may read it in a table. Nothing is found by it. */
export function display(subject: string): string {
  return subject
    .replace(/[\0\p{Surrogate}]/gu, "")
    .slice(0, 256)
    .replace(/\p{Surrogate}/gu, "");
}

/** When a session may be forgotten, in milliseconds. */
export function overAt(row: SessionRow): number {
  const refreshEnd = row.refreshExp === undefined ? Number.POSITIVE_INFINITY : row.refreshExp * 1000;
  return toColumn(Math.min(row.endedAt ?? Number.POSITIVE_INFINITY, refreshEnd, row.absoluteEnd));
}

/** The session that a row of the table holds. */
export function sessionOf(stored: Row): SessionRow {
  const detail = JSON.parse(String(stored.detail)) as Pick<SessionRow, "sid" | "subject" | "claims" | "headers"> &
    Partial<Pick<SessionRow, "userAgent" | "address" | "jkt">>;
  return {
    sid: detail.sid,
    subject: detail.subject,
    claims: detail.claims,
    headers: detail.headers,
    userAgent: fromText(stored.user_agent) ?? detail.userAgent,
    address: fromText(stored.address) ?? detail.address,
    jkt: detail.jkt,
    authTime: fromColumn(stored.auth_time),
    absoluteEnd: fromColumn(stored.absolute_end),
    issuedAt: fromColumn(stored.issued_at),
    refreshExp: optional(stored.refresh_exp),
    born: fromColumn(stored.born),
    gen: fromColumn(stored.gen),
    rotatedAt: optional(stored.rotated_at),
    racedCount: fromColumn(stored.raced_count),
    op: fromText(stored.op),
    csrfSeed: bytesOf(stored.csrf_seed),
    lastUsedAt: fromColumn(stored.last_used_at),
    endedAt: optional(stored.ended_at),
    endedWhy: typeof stored.ended_why === "string" ? (stored.ended_why as EndReason) : undefined,
  };
}

/** A session as epochs leave it: what began before the last one is over, without a write to every row. */
export function asEpochsLeaveIt(row: SessionRow, everything: number, subject: number): SessionRow {
  if (row.born <= everything) return ended(row, "everything", Math.max(everything, subject));
  return row.born <= subject ? ended(row, "subject", subject) : row;
}
