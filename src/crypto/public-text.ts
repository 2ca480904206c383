import { createPrivateKey, createPublicKey, ECDH } from "node:crypto";
import { ALGORITHMS } from "./algorithms.ts";

const PEM = /-----?\s*BEGIN\s+[A-Z0-9 ]+/;
const SSH_KEY = /(?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-nistp\d+|sk-[a-z0-9-]+@openssh\.com)\s+AAAA/;
/** The first bytes of an SSH public key without the name in front: the length and name of its type, in base64. */
const SSH_BLOB = /^\s*AAAA(?:B3NzaC1|C3NzaC1|E2VjZHNhLXNoYTIt|G[0-9A-Za-z+/]{4}LXNza)/;
const JWK_MEMBER = /"(?:k|\\u006[bB])(?:t|\\u0074)(?:y|\\u0079)"\s*:/;
const BASE64_ONLY = /^[A-Za-z0-9+/=_\-\s]+$/;
/** What a slip in a template string turns a missing value or an object into. */
const STRINGIFIED = /^\s*(?:\[object [A-Za-z]+\]|undefined)\s*$/;

/**
 * Says which kind of key text the bytes of an HMAC secret are, or `undefined` if they may be a secret.
 * Whoever can read a public key could sign with it, wherever in the text it stands (RFC 8725 §3.1).
 */
export function describePublicText(secret: Uint8Array): string | undefined {
  const bytes = Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength);
  // UTF-16 text is the same text with zero bytes between.
  const text = bytes.toString("latin1").replaceAll("\0", "");
  if (PEM.test(text)) return "PEM text";
  if (SSH_KEY.test(text) || SSH_BLOB.test(text)) return "an SSH key";
  if (JWK_MEMBER.test(text)) return "the text of a JWK";
  if (STRINGIFIED.test(text)) return "a value that was turned into text by mistake";
  if (isDerKey(bytes)) return "a key in DER";
  if (isUncompressedPoint(bytes)) return "the point of an EC public key";
  if (text.length < 10_000 && BASE64_ONLY.test(text)) {
    const inside = Buffer.from(text, "base64");
    if (isDerKey(inside)) return "a key in base64";
  }
  return undefined;
}

function isDerKey(bytes: Buffer): boolean {
  if (bytes[0] !== 0x30 || bytes.length < 40) return false;
  return (
    parses(() => createPublicKey({ key: bytes, format: "der", type: "spki" })) ||
    parses(() => createPublicKey({ key: bytes, format: "der", type: "pkcs1" })) ||
    parses(() => createPrivateKey({ key: bytes, format: "der", type: "pkcs8" })) ||
    parses(() => createPrivateKey({ key: bytes, format: "der", type: "pkcs1" })) ||
    parses(() => createPrivateKey({ key: bytes, format: "der", type: "sec1" }))
  );
}

function isUncompressedPoint(bytes: Buffer): boolean {
  if (bytes[0] !== 4) return false;
  return Object.values(ALGORITHMS).some(
    ({ family, curve }) =>
      family === "ec" &&
      curve !== undefined &&
      bytes.length === 1 + 2 * curve.bytes &&
      parses(() => ECDH.convertKey(bytes, curve.openssl)),
  );
}

function parses(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
