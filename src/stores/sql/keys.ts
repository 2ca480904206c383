import { createHash } from "node:crypto";

/** What a key stands for: a token of ours, a foreign token, a session, a signing key, a subject, everything. */
const KINDS = { token: "t", foreign: "f", session: "s", key: "k", subject: "u", everything: "e" } as const;

/**
 * The 16 bytes under which something is found: text would be compared by the rules of a collation, where `alice` may be
 * `ALICE`, and PostgreSQL takes no NUL in text.
 */
export function storeKey(kind: keyof typeof KINDS, value: string, issuer = ""): Buffer {
  const mark = KINDS[kind];
  // UTF-8 writes every lone surrogate alike, and a NUL in the issuer would move the boundary: such text is escaped, under
  // a kind of its own.
  const odd = /\p{Surrogate}/u.test(value) || /[\0\p{Surrogate}]/u.test(issuer);
  const text = odd
    ? `${mark.toUpperCase()}${JSON.stringify(issuer)}\0${JSON.stringify(value)}`
    : `${mark}${issuer}\0${value}`;
  return createHash("sha256").update(text).digest().subarray(0, 16);
}

/** The key of a token id: ids of other issuers never touch ours. */
export function tokenKey(jti: string, issuer: string | undefined): Buffer {
  return issuer === undefined ? storeKey("token", jti) : storeKey("foreign", jti, issuer);
}

/** The key of the epoch of everything. */
export const EVERYTHING: Buffer = storeKey("everything", "");
