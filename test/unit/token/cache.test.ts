import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  fixedKeys,
  importSigningKey,
  importVerifyKey,
  type KeyResolver,
  type VerifyKey,
} from "../../../src/crypto/keys.ts";
import type { JwtError } from "../../../src/errors.ts";
import { encodeToken } from "../../../src/token/encode.ts";
import { createVerifier, type TokenRules, type TokenVerifier, type VerifiedToken } from "../../../src/token/verify.ts";

const NOW = 1_700_000_000;
const MS = NOW * 1000;
const RULES: TokenRules = {
  leeway: 5,
  issuer: undefined,
  audience: undefined,
  requiredClaims: [],
  verifySub: true,
  jtiString: true,
  cutTimes: false,
  paddedBase64: false,
  lastNameWins: false,
  strictHeader: true,
  maxBytes: 8192,
  maxDepth: 32,
  missingClaim: () => undefined,
};
const LIMITS = { entries: 1000, bytes: 4 * 1024 * 1024 };
const secret = randomBytes(64);
const signer = importSigningKey(secret, "HS256");
const key = importVerifyKey(secret, "HS256");
const token = (claims: object): string => encodeToken(signer, undefined, claims as Record<string, unknown>) as string;
/** As HTTP delivers it: cut from a header line of its own. */
const delivered = (text: string): string => Buffer.from(`Bearer ${text}`).toString("latin1").slice(7);

function counting(): { resolver: KeyResolver; verified: () => number; state: { version: number; keys: VerifyKey[] } } {
  let count = 0;
  const verify: VerifyKey["verify"] = (text, end) => {
    count++;
    return key.verify(text, end);
  };
  const counted: VerifyKey = { ...key, verify };
  const state = { version: 1, keys: [counted] };
  const resolver: KeyResolver = {
    cacheable: true,
    get version() {
      return state.version;
    },
    find: () => state.keys,
    has: (row, version) => version === state.version && state.keys.includes(row),
  };
  return { resolver, verified: () => count, state };
}

/** As it takes for a token to be remembered. */
function verifyTwice(verifier: TokenVerifier, text: string): unknown {
  verifier.verify(text, MS);
  return verifier.verify(text, MS);
}

describe("the cache of verified tokens", () => {
  test("takes a token in at its second time, then gives the same claims again without verifying", () => {
    const { resolver, verified } = counting();
    const verifier = createVerifier(resolver, RULES, LIMITS);
    const text = token({ sub: "u" });
    const first = verifier.verify(delivered(text), MS) as VerifiedToken;
    expect(verifier.cacheSize).toBe(0);
    const second = verifier.verify(delivered(text), MS) as VerifiedToken;
    const third = verifier.verify(delivered(text), MS) as VerifiedToken;
    expect(second.claims).toEqual(first.claims);
    expect(third.claims).toBe(second.claims);
    expect(verified()).toBe(2);
    expect([third.header, third.claims].every(Object.isFrozen)).toBe(true);
    expect(verifier.cacheSize).toBe(1);
  });

  test("holds successes only", () => {
    const verifier = createVerifier(fixedKeys([key]), { ...RULES, issuer: ["me"] }, LIMITS);
    const bad = [token({ iss: "other" }), `${token({ iss: "me" })}x`, "x"];
    for (const text of [...bad, ...bad, ...bad]) verifier.verify(text, MS);
    expect(verifier.cacheSize).toBe(0);
  });

  test("never takes a token for another with the same signature text", () => {
    const verifier = createVerifier(fixedKeys([key]), RULES, LIMITS);
    const good = token({ sub: "user" });
    verifyTwice(verifier, good);
    const [header, , signature] = good.split(".");
    const forged = `${header}.${Buffer.from('{"sub":"admin"}').toString("base64url")}.${signature}`;
    expect(verifier.verify(forged, MS)).toBeInstanceOf(Error);
    expect((verifier.verify(good, MS) as VerifiedToken).claims.sub).toBe("user");
  });

  test("judges the times on every hit, also when the clock moves back", () => {
    const verifier = createVerifier(fixedKeys([key]), { ...RULES, maxAge: 60 }, LIMITS);
    const text = token({ iat: NOW, nbf: NOW });
    expect(verifyTwice(verifier, text)).not.toBeInstanceOf(Error);
    expect((verifier.verify(text, MS - 6000) as JwtError).code).toBe("token_not_yet_valid");
    expect((verifier.verify(text, MS + 66_000) as JwtError).code).toBe("token_claim");
    expect(verifier.verify(text, MS)).not.toBeInstanceOf(Error);
    expect(verifier.cacheSize).toBe(1);
  });

  test("forgets with the key and with the version of the keys", () => {
    const { resolver, verified, state } = counting();
    const verifier = createVerifier(resolver, RULES, LIMITS);
    const text = token({});
    verifyTwice(verifier, text);
    state.version++;
    expect(verifier.verify(text, MS)).not.toBeInstanceOf(Error);
    expect(verified()).toBe(3);
    state.keys = [];
    expect(verifier.verify(text, MS)).toBeInstanceOf(Error);
  });

  test("is not used where keys are chosen for each token", () => {
    const { resolver } = counting();
    const verifier = createVerifier({ ...resolver, cacheable: false }, RULES, LIMITS);
    verifyTwice(verifier, token({}));
    expect(verifier.cacheSize).toBe(0);
  });

  test("is bounded by entries and bytes", () => {
    const few = createVerifier(fixedKeys([key]), RULES, { entries: 10, bytes: 1e6 });
    const small = createVerifier(fixedKeys([key]), RULES, { entries: 1e6, bytes: 10_000 });
    for (let i = 0; i < 50; i++) {
      verifyTwice(few, token({ i }));
      verifyTwice(small, token({ i }));
    }
    expect(few.cacheSize).toBe(10);
    expect(small.cacheSize).toBeGreaterThan(2);
    expect(small.cacheSize).toBeLessThan(20);
  });

  test("keeps no header line alive", () => {
    const verifier = createVerifier(fixedKeys([key]), RULES, LIMITS);
    const lines = 300;
    const padding = "p".repeat(200_000);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < lines; i++) {
      const text = token({ i });
      const line = Buffer.from(`${padding}${text}`).toString("latin1");
      verifyTwice(verifier, line.slice(padding.length));
    }
    expect(verifier.cacheSize).toBe(lines);
    (globalThis as { gc?: () => void }).gc?.();
    // Slices would hold 60 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(40_000_000);
  });
});
