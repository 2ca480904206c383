import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  fixedKeys,
  importSigningKey,
  importVerifyKey,
  type KeyResolver,
  type VerifyKey,
} from "../../../src/crypto/keys.ts";
import { InvalidTokenError, type JwtError, StoreUnavailableError } from "../../../src/errors.ts";
import { encodeToken } from "../../../src/token/encode.ts";
import {
  createVerifier,
  expiredAt,
  readHeader,
  readUnverifiedClaims,
  type TokenRules,
  type VerifiedToken,
  verifySignature,
} from "../../../src/token/verify.ts";

const NOW = 1_700_000_000;
const MS = NOW * 1000;
const RULES: TokenRules = {
  leeway: 0,
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
const FLASK: TokenRules = {
  ...RULES,
  cutTimes: true,
  paddedBase64: true,
  lastNameWins: true,
  strictHeader: false,
  nullIsPresent: true,
};
const secret = randomBytes(64);
const signer = importSigningKey(secret, "HS256");
const keys = fixedKeys([importVerifyKey(secret, "HS256")]);

const b64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64url");
const signed = (header: string | object, payload: string | object | Uint8Array): string => {
  const headerText = typeof header === "string" ? header : JSON.stringify(header);
  const payloadText = typeof payload === "string" || payload instanceof Uint8Array ? payload : JSON.stringify(payload);
  const input = `${b64(headerText)}.${b64(payloadText)}`;
  return `${input}.${signer.sign(input)}`;
};
const token = (claims: object): string => signed({ alg: "HS256", typ: "JWT" }, claims);
const verify = (text: unknown, rules: Partial<TokenRules> = {}, now = MS) =>
  createVerifier(keys, { ...RULES, ...rules }, false).verify(text, now) as VerifiedToken | JwtError;
const code = (outcome: VerifiedToken | JwtError): string => (outcome instanceof Error ? outcome.code : "accepted");

describe("a good token", () => {
  test("gives header, claims and key, frozen to the last level", () => {
    const outcome = verify(token({ sub: "u", nested: { list: [{ a: 1 }] } })) as VerifiedToken;
    expect(outcome.header).toEqual({ alg: "HS256", typ: "JWT" });
    expect(outcome.claims).toEqual({ sub: "u", nested: { list: [{ a: 1 }] } });
    expect(outcome.key.algorithm).toBe("HS256");
    const nested = outcome.claims.nested as { list: object[] };
    for (const part of [outcome.header, outcome.claims, nested, nested.list, nested.list[0]])
      expect(Object.isFrozen(part)).toBe(true);
  });

  test("is verified in the same tick", () => expect(verify(token({}))).not.toBeInstanceOf(Promise));
});

describe("refusals", () => {
  test("are returned, carry no stack and no input, and say why to developers", () => {
    const outcome = verify(`${token({ sub: "secret-name" })}x`) as JwtError;
    expect(outcome).toBeInstanceOf(InvalidTokenError);
    expect(outcome.code).toBe("token_invalid");
    expect(outcome.detail).toBeTypeOf("string");
    expect(`${outcome.message} ${outcome.detail} ${outcome.stack}`).not.toMatch(/secret-name|eyJ/);
  });

  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 1],
    ["an object", { toString: () => token({}) }],
    ["a String", new String(token({}))],
    ["empty text", ""],
    ["dots", ".."],
    ["two parts", token({}).split(".").slice(0, 2).join(".")],
    ["four parts", `${token({})}.`],
    ["many dots", ".".repeat(8000)],
    ["white space", ` ${token({})}`],
    ["padding", `${token({})}=`],
    ["a character cut to a byte", token({}).replace("J", "\u014a")],
    ["an array as payload", signed({ alg: "HS256" }, "[]")],
    ["a byte order mark", signed({ alg: "HS256" }, "\ufeff{}")],
    ["broken UTF-8", signed({ alg: "HS256" }, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
    ["repeated claims", signed({ alg: "HS256" }, '{"sub":"a","sub":"b"}')],
    ["a repeated header parameter", signed('{"alg":"HS256","alg":"HS256"}', {})],
    ["too deep claims", signed({ alg: "HS256" }, `{"a":${"[".repeat(40)}${"]".repeat(40)}}`)],
    ["too many characters", token({ pad: "x".repeat(8192) })],
    ["alg none", signed({ alg: "none" }, {})],
    ["alg of other letters", signed({ alg: "hs256" }, {})],
    ["alg of a list", signed({ alg: ["HS256"] }, {})],
    ["no alg", signed({}, {})],
    ["alg by prototype", signed('{"__proto__":{"alg":"HS256"}}', {})],
  ])("%s", (_name, text) => expect(code(verify(text))).toBe("token_invalid"));

  test.each<object>([
    { kid: 1 },
    { typ: 1 },
    { cty: {} },
    { jku: [] },
    { x5u: 1 },
    { x5c: "x" },
    { x5c: [] },
    { x5t: null },
    { "x5t#S256": 1 },
    { jwk: "x" },
    { jwk: [] },
    { zip: "DEF" },
    { b64: false },
    { b64: "true" },
    { crit: [] },
    { crit: "b64", b64: true },
    { crit: ["exp"] },
    { crit: ["x"], x: 1 },
    { crit: ["b64"] },
    { crit: ["b64", "b64"], b64: true },
    { crit: ["b64"], b64: false },
  ])("of the header %j", (odd) => expect(code(verify(signed({ alg: "HS256", ...odd }, {})))).toBe("token_invalid"));

  test("a header may hold keys and addresses, which are not used", () => {
    const header = {
      alg: "HS256",
      jwk: { kty: "oct", k: "AAAA" },
      jku: "https://attacker.example",
      x5c: ["x"],
      crit: ["b64"],
      b64: true,
    };
    expect(code(verify(signed(header, {})))).toBe("accepted");
  });
});

describe("claims", () => {
  test.each<[object, string]>([
    [{ iat: NOW + 1 }, "token_not_yet_valid"],
    [{ iat: NOW }, "accepted"],
    [{ iat: "1" }, "token_claim"],
    [{ iat: null }, "token_claim"],
    [{ nbf: NOW + 0.5 }, "token_not_yet_valid"],
    [{ nbf: NOW }, "accepted"],
    [{ nbf: true }, "token_claim"],
    [{ exp: "x" }, "token_claim"],
    [{ exp: null }, "token_claim"],
    [{ exp: 0 }, "accepted"],
    [{ sub: 1 }, "token_claim"],
    [{ sub: null }, "token_claim"],
    [{ jti: 1 }, "token_claim"],
    [{ jti: [] }, "token_claim"],
  ])("%j: %s", (claims, expected) => expect(code(verify(token(claims)))).toBe(expected));

  test("a number beyond doubles is no time", () => {
    for (const name of ["exp", "nbf", "iat"])
      expect(code(verify(signed({ alg: "HS256" }, `{"${name}":1e400}`)))).toBe("token_claim");
    expect(code(verify(signed({ alg: "HS256" }, '{"iat":-1e400}')))).toBe("token_claim");
  });

  test("leeway is given both ways", () => {
    expect(code(verify(token({ iat: NOW + 5, nbf: NOW + 5 }), { leeway: 5 }))).toBe("accepted");
    expect(code(verify(token({ nbf: NOW + 6 }), { leeway: 5 }))).toBe("token_not_yet_valid");
  });

  test("fractions are cut where that is the rule", () => {
    expect(code(verify(token({ iat: NOW + 0.9 }), { cutTimes: true }))).toBe("accepted");
    expect(code(verify(token({ iat: NOW + 0.9 })))).toBe("token_not_yet_valid");
    expect(expiredAt({ exp: NOW + 0.9 }, MS, 0, true)).toBe(true);
    expect(expiredAt({ exp: NOW + 0.9 }, MS, 0, false)).toBe(false);
  });

  test.each<[unknown, boolean]>([
    ["api", true],
    [["x", "api"], true],
    ["API", false],
    ["", false],
    [[], false],
    [["x"], false],
    [["api", 1], false],
    [[["api"]], false],
    [{ 0: "api" }, false],
    [null, false],
    [undefined, false],
  ])("aud %j against a list: %s", (aud, fits) => {
    expect(code(verify(token({ aud }), { audience: ["api", "other"] }))).toBe(fits ? "accepted" : "token_audience");
    expect(code(verify(token({ aud }), { audience: "absent" }))).toBe(
      aud === undefined ? "accepted" : "token_audience",
    );
    expect(code(verify(token({ aud })))).toBe("accepted");
  });

  test.each([[["me"]], ["m"], ["me "], [null], [undefined]])("iss %j is not taken", (iss) => {
    expect(code(verify(token({ iss }), { issuer: ["me"] }))).toBe("token_issuer");
  });

  test("subject and typ are compared", () => {
    expect(code(verify(token({ sub: "a" }), { subject: "a" }))).toBe("accepted");
    expect(code(verify(token({ sub: "b" }), { subject: "a" }))).toBe("token_claim");
    expect(code(verify(token({}), { typ: "jwt" }))).toBe("accepted");
    expect(code(verify(token({}), { typ: "at+jwt" }))).toBe("token_claim");
    expect(code(verify(signed({ alg: "HS256", typ: "application/at+jwt" }, {}), { typ: "at+jwt" }))).toBe("accepted");
  });

  test("the age counts from iat", () => {
    expect(code(verify(token({ iat: NOW - 60 }), { maxAge: 60 }))).toBe("accepted");
    expect(code(verify(token({ iat: NOW - 61 }), { maxAge: 60 }))).toBe("token_claim");
    expect(code(verify(token({ iat: NOW - 61 }), { maxAge: 60, leeway: 1 }))).toBe("accepted");
    expect(code(verify(token({}), { maxAge: 60 }))).toBe("token_claim");
    expect(code(verify(token({ iat: NOW + 1 }), { maxAge: 60 }))).toBe("token_not_yet_valid");
  });

  test("required claims are own ones, with their own message", () => {
    expect(code(verify(token({ x: 0 }), { requiredClaims: ["x"] }))).toBe("accepted");
    for (const name of ["toString", "constructor", "__proto__", "x"]) {
      expect(code(verify(token({}), { requiredClaims: [name] }))).toBe("token_claim");
    }
    expect(code(verify(signed({ alg: "HS256" }, '{"__proto__":{"x":1}}'), { requiredClaims: ["x"] }))).toBe(
      "token_claim",
    );
    expect(code(verify(token({ x: null }), { requiredClaims: ["x"] }))).toBe("token_claim");
    expect(code(verify(token({ x: null }), { requiredClaims: ["x"], nullIsPresent: true }))).toBe("accepted");
    const outcome = verify(token({}), {
      requiredClaims: ["x"],
      missingClaim: (name) => `Missing claim: ${name}`,
    }) as JwtError;
    expect(outcome.message).toBe("Missing claim: x");
  });

  test("the order is that of the design", () => {
    const rules = { issuer: ["me"], audience: ["api"], requiredClaims: ["x"] };
    expect(code(verify(token({ iat: NOW + 9, iss: "x" }), rules))).toBe("token_not_yet_valid");
    expect(code(verify(token({ iss: "x", aud: "x", sub: 1 }), rules))).toBe("token_issuer");
    expect(code(verify(token({ iss: "me", aud: "x", sub: 1 }), rules))).toBe("token_audience");
    expect(code(verify(token({ iss: "me", aud: "api", sub: 1 }), rules))).toBe("token_claim");
  });
});

describe("expiry", () => {
  test("is exclusive, with leeway, and not judged by verify", () => {
    expect(expiredAt({ exp: NOW }, MS, 0, false)).toBe(true);
    expect(expiredAt({ exp: NOW + 1 }, MS, 0, false)).toBe(false);
    expect(expiredAt({ exp: NOW - 4 }, MS, 5, false)).toBe(false);
    expect(expiredAt({ exp: NOW - 5 }, MS, 5, false)).toBe(true);
    expect(expiredAt({}, MS, 0, false)).toBe(false);
    expect(expiredAt({ exp: "9999999999" }, MS, 0, false)).toBe(true);
    expect(code(verify(token({ exp: 1 })))).toBe("accepted");
  });
});

describe("compatible rules", () => {
  const flask = (text: string) => code(verify(text, FLASK));

  test("tolerate complete padding, repeated names and odd headers", () => {
    const input = `${Buffer.from('{"alg":"HS256"}').toString("base64")}.${Buffer.from('{"a":1}').toString("base64")}`;
    expect(input).toContain("=");
    expect(flask(`${input}.${signer.sign(input)}=`)).toBe("accepted");
    expect(flask(`${input}.${signer.sign(input)}==`)).toBe("token_invalid");
    expect(flask(signed('{"alg":"HS256","typ":1,"zip":1}', '{"sub":1,"sub":"a"}'))).toBe("accepted");
  });

  test("still refuse kid, crit and b64 as recorded", () => {
    for (const odd of [{ kid: 1 }, { kid: null }, { crit: [] }, { crit: ["exp"] }, { b64: false }]) {
      expect(flask(signed({ alg: "HS256", ...odd }, {}))).toBe("token_invalid");
    }
  });
});

describe("resolvers", () => {
  const [key] = keys.find({ alg: "HS256" }, () => undefined) as readonly VerifyKey[];
  const resolver = (find: KeyResolver["find"]): KeyResolver => ({
    cacheable: false,
    version: 1,
    find,
    has: () => false,
  });

  test("may be waited for, and may look at unverified claims", async () => {
    let seen: unknown;
    const verifier = createVerifier(
      resolver(async (_header, claims) => {
        seen = claims();
        return [key as VerifyKey];
      }),
      RULES,
      { entries: 10, bytes: 10_000 },
    );
    const outcome = verifier.verify(token({ sub: "u" }), MS);
    expect(outcome).toBeInstanceOf(Promise);
    expect(code(await outcome)).toBe("accepted");
    expect(seen).toEqual({ sub: "u" });
    expect(verifier.cacheSize).toBe(0);
    await verifier.verify(signed({ alg: "HS256" }, "no json"), MS);
    expect(seen).toBeUndefined();
  });

  test("whose refusal is an error of ours have it returned; other errors are the application's", async () => {
    const refusal = new StoreUnavailableError("store_unavailable");
    const refusing = createVerifier(
      resolver(() => Promise.reject(refusal)),
      RULES,
      false,
    );
    expect(await refusing.verify(token({}), MS)).toBe(refusal);
    const broken = createVerifier(
      resolver(() => Promise.reject(new Error("broken"))),
      RULES,
      false,
    );
    await expect(broken.verify(token({}), MS)).rejects.toThrow("broken");
  });

  test("cannot make a key verify a token of another algorithm", () => {
    const forged = createVerifier(
      resolver(() => [key as VerifyKey]),
      RULES,
      false,
    );
    expect(code(forged.verify(signed({ alg: "HS512" }, {}), MS) as JwtError)).toBe("token_invalid");
    expect(code(forged.verify(signed({ alg: "none" }, {}), MS) as JwtError)).toBe("token_invalid");
  });
});

describe("unverified reading", () => {
  test("gives header and claims of tokens with any signature", () => {
    const text = `${token({ sub: "u" }).slice(0, -4)}AAAA`;
    expect(readHeader(text, RULES)).toEqual({ alg: "HS256", typ: "JWT" });
    expect(readUnverifiedClaims(text, RULES)).toEqual({ sub: "u" });
  });

  test("refuses what is malformed", () => {
    for (const text of [null, "a.b", "a.b.c", token({}).replace(".", ".="), `${token({})}=`]) {
      expect(readHeader(text, RULES)).toBeInstanceOf(InvalidTokenError);
    }
    expect(readHeader(signed({ alg: "HS256" }, "no json"), RULES)).toEqual({ alg: "HS256" });
    expect(readUnverifiedClaims(signed({ alg: "HS256" }, "no json"), RULES)).toBeInstanceOf(InvalidTokenError);
  });

  test("the signature layer takes any payload", async () => {
    expect(await verifySignature(signed({ alg: "HS256" }, "any bytes"), keys, RULES)).not.toBeInstanceOf(Error);
    expect(await verifySignature(signed({ alg: "HS256" }, ""), keys, RULES)).not.toBeInstanceOf(Error);
    const odd = `${b64('{"alg":"HS256"}')}.A`;
    expect(await verifySignature(`${odd}.${signer.sign(odd)}`, keys, RULES)).toBeInstanceOf(Error);
  });
});

describe("encoding", () => {
  test("writes alg, typ and kid, then what is added", () => {
    const header = (text: unknown) =>
      JSON.parse(Buffer.from(String(text).split(".")[0] as string, "base64url").toString());
    expect(header(encodeToken(signer, undefined, {}))).toEqual({ alg: "HS256", typ: "JWT" });
    const named = importSigningKey({ kty: "oct", k: secret.toString("base64url"), kid: "k1" }, "HS256");
    expect(header(encodeToken(named, undefined, {}))).toEqual({ alg: "HS256", typ: "JWT", kid: "k1" });
    expect(header(encodeToken(named, { typ: "at+jwt", x: 1 }, {}))).toEqual({
      alg: "HS256",
      typ: "at+jwt",
      kid: "k1",
      x: 1,
    });
    expect(header(encodeToken(signer, { alg: "none" }, {})).alg).toBe("HS256");
  });

  test("says when claims cannot be written", () => {
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    for (const claims of [loop, { a: 1n }]) {
      expect(() => encodeToken(signer, undefined, claims)).toThrowError(
        expect.objectContaining({ code: "claims_invalid" }),
      );
    }
  });

  test("takes claims larger than its buffer", () => {
    const claims = { text: "ü".repeat(20_000) };
    expect((verify(encodeToken(signer, undefined, claims), { maxBytes: 100_000 }) as VerifiedToken).claims).toEqual(
      claims,
    );
  });

  test("signs RSA in the thread pool and the others at once", () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect(encodeToken(importSigningKey(rsa.privateKey, "PS256"), undefined, {})).toBeInstanceOf(Promise);
    const ed = generateKeyPairSync("ed25519");
    expect(encodeToken(importSigningKey(ed.privateKey, "EdDSA"), undefined, {})).toBeTypeOf("string");
  });
});
