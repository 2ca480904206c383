import { createHash, createHmac } from "node:crypto";

/** SHA-256 over the parts, one after another. */
export function sha256(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** base64url of the first 16 bytes of SHA-256 over the parts. */
export function shortDigest(...parts: readonly (string | Uint8Array)[]): string {
  return sha256(...parts).toString("base64url", 0, 16);
}

/** base64url of the first 16 bytes of HMAC-SHA-256 under a key. */
export function keyedDigest(key: Uint8Array, text: string): string {
  return createHmac("sha256", key).update(text).digest().toString("base64url", 0, 16);
}
