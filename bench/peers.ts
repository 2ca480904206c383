import { createPublicKey, createSecretKey, type KeyObject, webcrypto } from "node:crypto";
import type { Algorithm } from "../src/crypto/algorithms.ts";
import { AUDIENCE, ISSUER, type KeyPair, LEEWAY } from "./tokens.ts";

/** Something that verifies a token, and throws or rejects otherwise. */
export type Verify = (token: string) => unknown;
/** Something that signs claims. */
export type Sign = (claims: Record<string, unknown>) => unknown;

const REQUIRED = ["sub", "exp", "jti"];

const publicText = (key: string | KeyObject): string =>
  typeof key === "string" ? key : (key.export({ format: "pem", type: "spki" }) as string);
const privateText = (key: string | KeyObject): string =>
  typeof key === "string" ? key : (key.export({ format: "pem", type: "pkcs8" }) as string);

/** fast-jwt, with the checks that ours makes. `cache` is how many tokens it remembers. */
export async function fastVerifier(algorithm: Algorithm, keys: KeyPair, cache = 0): Promise<Verify> {
  const { createVerifier } = await import("fast-jwt");
  return createVerifier({
    key: publicText(keys.verifying),
    algorithms: [algorithm],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    requiredClaims: REQUIRED,
    clockTolerance: LEEWAY * 1000,
    cache,
  } as never);
}

/** jsonwebtoken, with its secret as the text that middlewares ask for, or as a `KeyObject`. */
export async function jsonwebtokenVerifier(algorithm: Algorithm, keys: KeyPair, asText: boolean): Promise<Verify> {
  const { default: jsonwebtoken } = await import("jsonwebtoken");
  const { verifying } = keys;
  const key = asText ? publicText(verifying) : keyObject(verifying);
  const options = { algorithms: [algorithm as "HS256"], issuer: ISSUER, audience: AUDIENCE, clockTolerance: LEEWAY };
  return (token) => jsonwebtoken.verify(token, key, options);
}

const keyObject = (key: string | KeyObject): KeyObject =>
  typeof key === "string" ? createSecretKey(key, "utf8") : createPublicKey(key);

const HMAC = { name: "HMAC", hash: "SHA-256" };

/** The secret as WebCrypto takes it. */
export function subtleSecret(secret: string, uses: ("sign" | "verify")[]): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey("raw", Buffer.from(secret), HMAC, false, uses);
}

/** jose with a `CryptoKey`, its fastest way. */
export async function joseVerifier(algorithm: Algorithm, keys: KeyPair): Promise<Verify> {
  const { jwtVerify, importSPKI } = await import("jose");
  const { verifying } = keys;
  const key =
    typeof verifying === "string"
      ? await subtleSecret(verifying, ["verify"])
      : await importSPKI(publicText(verifying), algorithm);
  const options = { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE, clockTolerance: LEEWAY };
  return (token) => jwtVerify(token, key, { ...options, requiredClaims: REQUIRED });
}

/** hono/jwt with a `CryptoKey`, its fastest way. HS256 alone. */
export async function honoVerifier({ verifying }: KeyPair): Promise<Verify> {
  const { verify } = await import("hono/jwt");
  const key = await subtleSecret(verifying as string, ["verify"]);
  return (token) => verify(token, key as never, { alg: "HS256", iss: ISSUER, aud: AUDIENCE });
}

/** fast-jwt, given claims with everything in them. */
export async function fastSigner(algorithm: Algorithm, keys: KeyPair): Promise<Sign> {
  const { createSigner } = await import("fast-jwt");
  return createSigner({ key: privateText(keys.signing), algorithm, noTimestamp: true } as never) as unknown as Sign;
}

/** jsonwebtoken with a `KeyObject`. */
export async function jsonwebtokenSigner(algorithm: Algorithm, { signing }: KeyPair): Promise<Sign> {
  const { default: jsonwebtoken } = await import("jsonwebtoken");
  const key = typeof signing === "string" ? createSecretKey(signing, "utf8") : signing;
  return (claims) => jsonwebtoken.sign(claims, key, { algorithm: algorithm as "HS256", noTimestamp: true });
}

/** jose with a `CryptoKey`. */
export async function joseSigner(algorithm: Algorithm, { signing }: KeyPair): Promise<Sign> {
  const { SignJWT, importPKCS8 } = await import("jose");
  const key =
    typeof signing === "string"
      ? await subtleSecret(signing, ["sign"])
      : await importPKCS8(privateText(signing), algorithm);
  return (claims) => new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ: "JWT" }).sign(key);
}

/** hono/jwt with a `CryptoKey`. HS256 alone. */
export async function honoSigner({ signing }: KeyPair): Promise<Sign> {
  const { sign } = await import("hono/jwt");
  const key = await subtleSecret(signing as string, ["sign"]);
  return (claims) => sign(claims, key as never, "HS256");
}
