import type { EndReason, SessionRow } from "../contract.ts";
import { entryKey } from "./keys.ts";

/** Text that may be absent. JSON, so that neither a line's end nor half a surrogate pair is lost. */
export const optionalText = (value: string | undefined): string => (value === undefined ? "" : JSON.stringify(value));

/** A number as the scripts read it. */
export const numberText = (value: number | undefined): string => {
  if (value === undefined) return "";
  return value === Number.POSITIVE_INFINITY ? "inf" : String(value);
};

/** The expiry of an entry: whole seconds, rounded up, so that nothing goes too early. */
export const secondsText = (milliseconds: number): string => numberText(Math.ceil(milliseconds / 1000));

const readText = (value: string): string | undefined => (value === "" ? undefined : (JSON.parse(value) as string));

/** A number that a script wrote, or that `numberText` did. */
export const readNumber = (value: string): number => (value === "inf" ? Number.POSITIVE_INFINITY : Number(value));

const readOptional = (value: string): number | undefined => (value === "" ? undefined : readNumber(value));

/** What no script reads: it stays as it was written. */
export const fixedText = ({
  authTime,
  claims,
  headers,
  csrfSeed,
}: Pick<SessionRow, "authTime" | "claims" | "headers" | "csrfSeed">): string =>
  JSON.stringify({ authTime, claims, headers, csrfSeed: Buffer.from(csrfSeed).toString("base64") });

/**
 * A row as Redis holds it: the 16-byte key of the subject, then one line for each field in the order in which the
 * scripts number them.
 */
export function encodeRow(row: SessionRow): Buffer {
  const lines = [
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
    row.endedWhy ?? "",
    optionalText(row.userAgent),
    optionalText(row.address),
    fixedText(row),
  ];
  return Buffer.concat([entryKey("subject", row.subject), Buffer.from(lines.join("\n"))]);
}

/** The row in the lines that a script answers. */
export function decodeRow(sid: string, text: string): SessionRow {
  const [subject, born, gen, issuedAt, exp, end, rotated, raced, op, jkt, used, ended, why, agent, address, fixed] =
    text.split("\n") as Lines;
  const { csrfSeed, ...rest } = JSON.parse(fixed) as Fixed;
  return {
    ...rest,
    sid,
    subject: JSON.parse(subject) as string,
    born: readNumber(born),
    gen: readNumber(gen),
    issuedAt: readNumber(issuedAt),
    refreshExp: readOptional(exp),
    absoluteEnd: readNumber(end),
    rotatedAt: readOptional(rotated),
    racedCount: readNumber(raced),
    op: readText(op),
    jkt: readText(jkt),
    lastUsedAt: readNumber(used),
    endedAt: readOptional(ended),
    endedWhy: why === "" ? undefined : (why as EndReason),
    userAgent: readText(agent),
    address: readText(address),
    csrfSeed: new Uint8Array(Buffer.from(csrfSeed, "base64")),
  };
}

type Fixed = Pick<SessionRow, "authTime" | "claims" | "headers"> & { readonly csrfSeed: string };
// biome-ignore format: one name a field
type Lines = [string, string, string, string, string, string, string, string,
  string, string, string, string, string, string, string, string];
