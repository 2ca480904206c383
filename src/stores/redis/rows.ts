import type { EndReason, SessionRow } from "../contract.ts";
import { storeKey } from "../keys.ts";
import { textKey } from "./keys.ts";

/** Text or nothing, as JSON: so neither a line's end nor half a surrogate pair is lost. */
export const optionalText = (value: string | undefined): string =>
  value === undefined ? "null" : JSON.stringify(value);

/** A number as JSON. Infinity is a number too large: JSON and Lua read it as such. */
export const numberText = (value: number | undefined): string => {
  if (value === undefined) return "null";
  return value === Number.POSITIVE_INFINITY ? "1e999" : String(value);
};

/** Until when an entry counts, as Redis orders it: whole milliseconds. */
export const untilText = (until: number): string =>
  until === Number.POSITIVE_INFINITY ? "inf" : String(Math.ceil(until));

/** What no script reads: it stays as it was written. */
export const fixedText = ({
  authTime,
  claims,
  headers,
  csrfSeed,
}: Pick<SessionRow, "authTime" | "claims" | "headers" | "csrfSeed">): string =>
  JSON.stringify({ authTime, claims, headers, csrfSeed: Buffer.from(csrfSeed).toString("base64") });

/** A row as Redis holds it: the key of the subject, then JSON, a line for each field, in the order of the scripts. */
export function encodeRow(row: SessionRow): string {
  return [
    textKey(storeKey("subject", row.subject)),
    JSON.stringify(row.subject),
    numberText(row.born),
    numberText(row.gen),
    numberText(row.issuedAt),
    numberText(row.refreshExp),
    numberText(row.absoluteEnd),
    numberText(row.rotatedAt),
    numberText(row.racedCount),
    optionalText(row.op),
    optionalText(row.jkt),
    numberText(row.lastUsedAt),
    numberText(row.endedAt),
    optionalText(row.endedWhy),
    optionalText(row.userAgent),
    optionalText(row.address),
    fixedText(row),
  ].join(",\n");
}

/** The row in the lines that a script answers. */
export function decodeRow(sid: string, text: string): SessionRow {
  const [
    subject,
    born,
    gen,
    issuedAt,
    exp,
    absoluteEnd,
    rotated,
    racedCount,
    op,
    jkt,
    used,
    ended,
    why,
    agent,
    address,
    fixed,
  ] = JSON.parse(`[${text.slice(text.indexOf("\n"))}]`) as Fields;
  const { authTime, claims, headers, csrfSeed } = fixed;
  return {
    sid,
    subject,
    authTime,
    absoluteEnd,
    issuedAt,
    refreshExp: exp ?? undefined,
    claims,
    headers,
    userAgent: agent ?? undefined,
    address: address ?? undefined,
    jkt: jkt ?? undefined,
    born,
    gen,
    rotatedAt: rotated ?? undefined,
    racedCount,
    op: op ?? undefined,
    csrfSeed: new Uint8Array(Buffer.from(csrfSeed, "base64")),
    lastUsedAt: used,
    endedAt: ended ?? undefined,
    endedWhy: why ?? undefined,
  };
}

type Fixed = Pick<SessionRow, "authTime" | "claims" | "headers"> & { readonly csrfSeed: string };
// biome-ignore format: one name a field
type Fields = [subject: string, born: number, gen: number, issuedAt: number, exp: number | null, end: number,
  rotated: number | null, raced: number, op: string | null, jkt: string | null, used: number, ended: number | null,
  why: EndReason | null, agent: string | null, address: string | null, fixed: Fixed];
