import crypto from "node:crypto";

/** What a key stands for: a token of ours, a foreign token, a session, a signing key, a subject, everything, a name taken once. */
const KINDS = { token: "t", foreign: "f", session: "s", key: "k", subject: "u", everything: "e", spent: "d" } as const;

type OneShotHash = (algorithm: string, data: string, encoding: "binary") => string;
const oneShotHash = (crypto as { hash?: OneShotHash }).hash;
const sha256 = (text: string): string =>
  oneShotHash ? oneShotHash("sha256", text, "binary") : crypto.createHash("sha256").update(text).digest("binary");

/**
 * The key of `storeKey` as text of one character a byte, in the first 16 of 32 characters: a third of the work of a
 * `Buffer`, for those who look up a key or more at each request.
 */
export function keyText(kind: keyof typeof KINDS, value: string, issuer = ""): string {
  const mark = KINDS[kind];
  // UTF-8 writes every lone surrogate alike, and a NUL in the issuer would move the boundary: such text is escaped, under
  // a kind of its own.
  const odd = /\p{Surrogate}/u.test(value) || /[\0\p{Surrogate}]/u.test(issuer);
  return sha256(
    odd ? `${mark.toUpperCase()}${JSON.stringify(issuer)}\0${JSON.stringify(value)}` : `${mark}${issuer}\0${value}`,
  );
}

/**
 * The 16 bytes under which something is found: text would be compared by the rules of a collation, where `alice` may be
 * `ALICE`, and PostgreSQL takes no NUL in text.
 */
export function storeKey(kind: keyof typeof KINDS, value: string, issuer = ""): Buffer {
  return Buffer.from(keyText(kind, value, issuer), "latin1").subarray(0, 16);
}

/** The key of a token id: ids of other issuers never touch ours. */
export function tokenKey(jti: string, issuer: string | undefined): Buffer {
  return issuer === undefined ? storeKey("token", jti) : storeKey("foreign", jti, issuer);
}

/** The key of the epoch of everything. */
export const EVERYTHING: Buffer = storeKey("everything", "");
