import { generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from "node:crypto";
import type { Algorithm } from "../src/crypto/algorithms.ts";
import { importSigningKey } from "../src/crypto/keys.ts";
import { JWTManager } from "../src/manager.ts";
import { encodeToken } from "../src/token/encode.ts";
import { tokenRules } from "../src/token/policy.ts";
import { createVerifier, expiredAt } from "../src/token/verify.ts";
import type { Contender } from "./measure.ts";

export const ISSUER = "https://issuer.example";
export const AUDIENCE = "https://api.example";
export const LEEWAY = 5;
/** How many tokens come again and again. */
export const TOKENS = 1000;
export const secretText = randomBytes(48).toString("base64");

/** What signs and what verifies. */
export interface KeyPair {
  readonly signing: string | KeyObject;
  readonly verifying: string | KeyObject;
}

const rsa = (): { privateKey: KeyObject; publicKey: KeyObject } => generateKeyPairSync("rsa", { modulusLength: 2048 });
const KEYS: Readonly<Record<string, () => { privateKey: KeyObject; publicKey: KeyObject }>> = {
  RS256: rsa,
  PS256: rsa,
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};

/** The algorithms with two keys, all of them slow. */
export const ASYMMETRIC = Object.keys(KEYS) as readonly Algorithm[];

/** Keys of an algorithm: the one secret text, or a new pair. */
export function makeKeys(algorithm: Algorithm): KeyPair {
  const make = KEYS[algorithm];
  if (make === undefined) return { signing: secretText, verifying: secretText };
  const { privateKey, publicKey } = make();
  return { signing: privateKey, verifying: publicKey };
}

/** Claims of an access token, with an id of its own. */
export function makeClaims(): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return {
    sub: "user-1234567",
    type: "access",
    fresh: false,
    iat: now,
    exp: now + 900,
    jti: randomUUID(),
    iss: ISSUER,
    aud: AUDIENCE,
  };
}

/** Strings as HTTP delivers them: each cut from a header line of its own. */
function deliver(tokens: readonly string[]): string[] {
  return tokens.map((token) => Buffer.from(`Bearer ${token}`, "latin1").toString("latin1").slice("Bearer ".length));
}

/** A contender that gets each token as a new string object, made before its time is taken. */
export function reader(name: string, next: () => string, read: (token: string) => unknown): Contender {
  let queue: string[] = [];
  return {
    name,
    prepare(calls) {
      queue = deliver(Array.from({ length: calls }, next));
    },
    run: (i) => read(queue[i] as string),
  };
}

/** Each of some values in turn, for ever. */
export function inTurn<T>(values: readonly T[]): () => T {
  let at = 0;
  return () => values[at++ % values.length] as T;
}

/** The verifier of a manager with default options, and `exp` as its guards check it. */
export function ourVerifier(algorithm: Algorithm, { signing, verifying }: KeyPair, cached: boolean) {
  const keys =
    typeof verifying === "string"
      ? { secretKey: verifying }
      : { publicKey: verifying, privateKey: signing as KeyObject };
  const { config } = new JWTManager({ algorithm, ...keys, issuer: ISSUER, audience: AUDIENCE });
  if (!config.keys.verifying) throw new Error("no key to verify with");
  const verifier = createVerifier(config.keys.verifying, tokenRules(config), cached ? config.verifyCache : false);
  return (token: string): unknown => {
    const now = config.clock();
    const outcome = verifier.verify(token, now);
    if (outcome instanceof Promise || outcome instanceof Error || expiredAt(outcome.claims, now, LEEWAY, false)) {
      throw new Error("a good token was refused");
    }
    return outcome;
  };
}

/** Signs access tokens; claims, `jti` and times are made on the way. RSA signs in the thread pool and gives a promise. */
export function minter(algorithm: Algorithm, { signing }: KeyPair): () => string | Promise<string> {
  const key = importSigningKey(signing, algorithm);
  return () => encodeToken(key, undefined, makeClaims());
}

/** As many tokens, each of its own. */
export function mintMany(algorithm: Algorithm, keys: KeyPair, count = TOKENS): Promise<string[]> {
  const mint = minter(algorithm, keys);
  return Promise.all(Array.from({ length: count }, mint));
}
