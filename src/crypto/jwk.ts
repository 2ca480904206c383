import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { decode } from "../internal/base64url.ts";
import { ALGORITHMS, type Algorithm } from "./algorithms.ts";
import { keyFault } from "./key-fault.ts";

/** A JSON Web Key (RFC 7517 §4). The members are checked when it is imported. */
export interface JsonWebKeyLike {
  readonly kty: string;
  readonly [member: string]: unknown;
}

/** What a key is to be used for. */
export type KeyUse = "sign" | "verify";

/** Whether a value is an object that means to be a JWK. */
export function isJwk(value: unknown): value is JsonWebKeyLike {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "kty");
}

/** Own members only: a polluted prototype must not lend a key its parts. */
function member(jwk: JsonWebKeyLike, name: string): unknown {
  return Object.hasOwn(jwk, name) ? jwk[name] : undefined;
}

/** Whether a JWK has the private half of a key pair. */
export function isPrivateJwk(jwk: JsonWebKeyLike): boolean {
  return member(jwk, "d") !== undefined;
}

/** The `kid` of a JWK (RFC 7517 §4.5). Throws `key_unusable` if it is no text. */
export function jwkId(jwk: JsonWebKeyLike): string | undefined {
  const kid = member(jwk, "kid");
  if (kid === undefined || typeof kid === "string") return kid;
  throw keyFault('The "kid" of the JWK is not text. Give it a string, or leave it out.');
}

/** Refuses a JWK of another type, or one that its owner meant for something else (RFC 7517 §4.1 to §4.4). Throws `key_unusable`. */
export function checkJwkPurpose(jwk: JsonWebKeyLike, algorithm: Algorithm, use: KeyUse): void {
  const { kty } = ALGORITHMS[algorithm];
  if (member(jwk, "kty") !== kty) {
    throw keyFault(`The JWK is not of the type ("kty") that ${algorithm} needs. Give a JWK with "kty": "${kty}".`);
  }
  const meant = member(jwk, "alg");
  if (meant !== undefined && meant !== algorithm) {
    throw keyFault(
      `The JWK is bound to another algorithm by its "alg". Use that algorithm, or another key for ${algorithm}.`,
    );
  }
  const purpose = member(jwk, "use");
  if (purpose !== undefined && purpose !== "sig") {
    throw keyFault('The JWK is not meant for signatures. Give a key whose "use" is "sig" or absent.');
  }
  const operations = member(jwk, "key_ops");
  if (operations === undefined) return;
  // The public half of a key that may sign is there to verify.
  const enough = use === "verify" && kty !== "oct" && isPrivateJwk(jwk) ? ["verify", "sign"] : [use];
  if (!Array.isArray(operations) || !operations.some((operation) => enough.includes(operation))) {
    throw keyFault(`The "key_ops" of the JWK do not allow to ${use}. Give a key that does, or leave "key_ops" out.`);
  }
}

/** The bytes of a symmetric JWK (RFC 7518 §6.4). Throws `key_unusable`. */
export function jwkSecret(jwk: JsonWebKeyLike): Buffer {
  return bytesOf(jwk, "k");
}

/** The public half of an asymmetric JWK (RFC 7518 §6.2, §6.3, RFC 8037 §2). Throws `key_unusable`. */
export function jwkPublicKey(jwk: JsonWebKeyLike, algorithm: Algorithm): KeyObject {
  const parts = publicParts(jwk, algorithm);
  try {
    const key = createPublicKey({ key: parts, format: "jwk" });
    requireSameParts(key, parts);
    return key;
  } catch {
    throw keyFault(`The JWK is not a sound public key for ${algorithm}. Export it again from where it was made.`);
  }
}

/** The private key of an asymmetric JWK. Throws `key_unusable`, also when its two halves do not belong together. */
export function jwkPrivateKey(jwk: JsonWebKeyLike, algorithm: Algorithm): KeyObject {
  const parts: Record<string, string> = publicParts(jwk, algorithm);
  if (!isPrivateJwk(jwk))
    throw keyFault('The JWK is a public key and cannot sign. Give the private one, with its "d".');
  if (member(jwk, "oth") !== undefined)
    throw keyFault("RSA keys of more than two primes are not supported. Give another key.");
  const names = ALGORITHMS[algorithm].kty === "RSA" ? ["d", "p", "q", "dp", "dq", "qi"] : ["d"];
  for (const name of names) parts[name] = bytesOf(jwk, name).toString("base64url");
  try {
    const key = createPrivateKey({ key: parts, format: "jwk" });
    requirePair(key, jwkPublicKey(jwk, algorithm), ALGORITHMS[algorithm].hash);
    return key;
  } catch {
    throw keyFault(`The JWK is not a sound private key for ${algorithm}. Export it again from where it was made.`);
  }
}

function publicParts(jwk: JsonWebKeyLike, algorithm: Algorithm): Record<string, string> {
  const { kty, curve } = ALGORITHMS[algorithm];
  if (kty === "RSA") return { kty, n: unsigned(jwk, "n"), e: unsigned(jwk, "e") };
  const { crv, bytes } = curve as NonNullable<typeof curve>;
  if (member(jwk, "crv") !== crv) {
    throw keyFault(`The JWK is not on the curve that ${algorithm} needs. Give a key with "crv": "${crv}".`);
  }
  const x = coordinate(jwk, "x", bytes);
  return kty === "EC" ? { kty, crv, x, y: coordinate(jwk, "y", bytes) } : { kty, crv, x };
}

function unsigned(jwk: JsonWebKeyLike, name: string): string {
  const bytes = bytesOf(jwk, name);
  if (bytes[0] === 0)
    throw keyFault(`The "${name}" of the JWK starts with a zero byte, or is zero (RFC 7518 §2). Export the key again.`);
  return bytes.toString("base64url");
}

function coordinate(jwk: JsonWebKeyLike, name: string, length: number): string {
  const bytes = bytesOf(jwk, name);
  if (bytes.length !== length) {
    throw keyFault(
      `The "${name}" of the JWK must have exactly ${length} bytes (RFC 7518 §6.2.1.2). Export the key again.`,
    );
  }
  return bytes.toString("base64url");
}

function bytesOf(jwk: JsonWebKeyLike, name: string): Buffer {
  const text = member(jwk, name);
  const bytes = typeof text === "string" ? decode(text) : undefined;
  if (bytes === undefined || bytes.length === 0) {
    throw keyFault(
      `The "${name}" of the JWK is missing, empty or not base64url without padding. Export the key again.`,
    );
  }
  return bytes;
}

/** OpenSSL reduces some out-of-range values silently; what comes out must be what went in. */
function requireSameParts(key: KeyObject, parts: Record<string, string>): void {
  const exported = key.export({ format: "jwk" }) as Record<string, unknown>;
  for (const [name, value] of Object.entries(parts)) {
    if (exported[name] !== value) throw new Error("the halves differ");
  }
}

/** OpenSSL takes the public half of a private JWK on trust, or passes it over. */
function requirePair(privateKey: KeyObject, publicKey: KeyObject, hash: string | undefined): void {
  const probe = Buffer.from("a probe");
  if (!verify(hash, probe, publicKey, sign(hash, probe, privateKey))) throw new Error("the halves differ");
}
