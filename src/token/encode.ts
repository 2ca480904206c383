import type { SigningKey } from "../crypto/keys.ts";
import { UsageError } from "../errors.ts";
import { readBase64url, writeUtf8 } from "../internal/bytes.ts";

const scratch = Buffer.allocUnsafeSlow(8 * 1024);
/** UTF-8 takes at most three bytes for each unit of a text. */
const MOST_BYTES_PER_UNIT = 3;

const plainHeaders = new WeakMap<SigningKey, string>();

/**
 * Makes a signed token in compact form (RFC 7515 §7.1): header `alg`, `typ` and, if the key has one, `kid`, then the additional ones.
 * Nothing is added to the claims. A promise comes back only for keys that sign in the thread pool.
 * Throws `UsageError` `claims_invalid` if claims or headers cannot be written as JSON.
 */
export function encodeToken(
  key: SigningKey,
  headers: Readonly<Record<string, unknown>> | undefined,
  claims: Readonly<Record<string, unknown>>,
): string | Promise<string> {
  const header = headers === undefined ? plainHeader(key) : headerSegment(key, headers);
  const signingInput = `${header}.${segment(claims)}`;
  const signature = key.sign(signingInput);
  if (typeof signature === "string") return `${signingInput}.${signature}`;
  return signature.then((text) => `${signingInput}.${text}`);
}

function plainHeader(key: SigningKey): string {
  let header = plainHeaders.get(key);
  if (header === undefined) {
    header = headerSegment(key, {});
    plainHeaders.set(key, header);
  }
  return header;
}

function headerSegment(key: SigningKey, headers: Readonly<Record<string, unknown>>): string {
  const kid = key.kid === undefined ? {} : { kid: key.kid };
  // `alg` says how the signature is made, whatever the additional headers say.
  const header: Record<string, unknown> = { alg: key.algorithm, typ: "JWT", ...kid, ...headers };
  header.alg = key.algorithm;
  return segment(header);
}

function segment(value: Readonly<Record<string, unknown>>): string {
  let json: string;
  try {
    json = JSON.stringify(value);
  } catch {
    throw new UsageError("claims_invalid", {
      detail: "a value cannot be written as JSON: a BigInt, or an object that contains itself",
    });
  }
  if (json.length * MOST_BYTES_PER_UNIT > scratch.length) return Buffer.from(json, "utf8").toString("base64url");
  return readBase64url(scratch, 0, writeUtf8(scratch, json, 0));
}
