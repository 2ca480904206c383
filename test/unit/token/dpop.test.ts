import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DpopConfig } from "../../../src/config/dpop.ts";
import { boundTo, checkProof, type ProofTarget, schemeFault } from "../../../src/token/dpop.ts";
import { plainPath, plainUri } from "../../../src/token/dpop-uri.ts";
import { type KeyHolder, keyHolder, ORIGIN, type ProofOptions } from "../../support/dpop.ts";

const NOW = 1_800_000_000;
const RULES: DpopConfig = {
  required: false,
  algorithms: ["ES256", "EdDSA"],
  maxAge: 60,
  leeway: 30,
  nonces: undefined,
  origins: [ORIGIN],
};
const ada = keyHolder();

/** The code and the reason of a refusal, or the thumbprint. */
function judged(options: ProofOptions & { by?: KeyHolder }, target: Partial<ProofTarget> = {}, rules = RULES): string {
  const { by = ada, ...rest } = options;
  const line = by.proof("GET", "/me", { now: NOW, ...rest });
  return checked({ lines: [line], token: rest.token, ...target }, rules);
}
function checked(target: Partial<ProofTarget>, rules = RULES): string {
  const proof = checkProof({ lines: [], method: "GET", url: "/me", ...target }, rules, NOW * 1000);
  return proof instanceof Error ? `${proof.code}: ${proof.detail}` : proof.jkt;
}
const refusal = (what: string) => expect.stringMatching(new RegExp(`^dpop_proof_invalid: .*${what}`));

describe("a proof", () => {
  it("of a key of a listed algorithm is good", () => {
    expect(judged({})).toBe(ada.jkt);
    const eve = keyHolder("EdDSA");
    expect(judged({ by: eve, token: "a.b.c" }, { jkt: eve.jkt })).toBe(eve.jkt);
    const rsa = keyHolder("RS256");
    expect(judged({ by: rsa })).toEqual(refusal("alg"));
    expect(judged({ by: rsa }, {}, { ...RULES, algorithms: ["RS256"] })).toBe(rsa.jkt);
  });

  it("comes once", () => {
    const line = ada.proof("GET", "/me", { now: NOW });
    expect(checked({ lines: [] })).toMatch(/^dpop_proof_missing/);
    for (const lines of [[line, line], [`${line},${line}`], [`${line}, x`], [""], ["x"], ["a.b.c"], [`${line}.`]])
      expect(checked({ lines })).toEqual(refusal(""));
    expect(judged({ claims: { more: "a".repeat(4000) } })).toEqual(refusal("too long"));
  });

  it("has a header that says no more and no less than it should", () => {
    const { jwk } = ada;
    for (const [header, what] of [
      [{ typ: undefined }, "typ"],
      [{ typ: "JWT" }, "typ"],
      [{ typ: "DPoP+JWT" }, "typ"],
      [{ alg: "none" }, "alg"],
      [{ alg: "HS256", jwk: { kty: "oct", k: "a" } }, "alg"],
      [{ alg: "ES384" }, "alg"],
      [{ alg: "EdDSA" }, "key is not sound"],
      [{ jwk: undefined }, "jwk"],
      [{ jwk: [jwk] }, "jwk"],
      [{ jwk: { ...jwk, d: "x" } }, "jwk"],
      [{ jwk: { ...jwk, k: null } }, "jwk"],
      [{ jwk: { ...jwk, x: "AA" } }, "key is not sound"],
      [{ jwk: { ...jwk, use: "enc" } }, "key is not sound"],
      [{ jwk: { ...jwk, key_ops: ["sign"] } }, "key is not sound"],
      [{ jwk: { ...jwk, alg: "ES384" } }, "key is not sound"],
      [{ jwk: { ...jwk, kid: 7 } }, "key is not sound"],
      [{ jwk: keyHolder().jwk }, "signature is wrong"],
      [{ crit: ["x"], x: 1 }, "crit"],
      [{ b64: false }, "b64"],
    ] as const)
      expect([header, judged({ header })]).toEqual([header, refusal(what)]);
    expect(judged({ header: { jwk: { ...jwk, kid: "a", use: "sig", key_ops: ["verify"], ext: true } } })).toBe(ada.jkt);
  });

  it("has no key that anybody could sign for, or that takes long", () => {
    const rules: DpopConfig = { ...RULES, algorithms: ["RS256", "EdDSA"] };
    const x = Buffer.alloc(32, 0).fill(1, 0, 1).toString("base64url");
    expect(judged({ header: { alg: "EdDSA", jwk: { kty: "OKP", crv: "Ed25519", x } } }, {}, rules)).toEqual(
      refusal("not sound"),
    );
    const n = (bits: number) => Buffer.alloc(bits / 8, 255).toString("base64url");
    const rsa = (bits: number) => ({ alg: "RS256", jwk: { kty: "RSA", n: n(bits), e: "AQAB" } });
    expect(judged({ header: rsa(1024) }, {}, rules)).toEqual(refusal("not sound"));
    expect(judged({ header: rsa(4096 + 64) }, {}, rules)).toEqual(refusal("no public key"));
  });

  it("is for this method, this time and this token", () => {
    for (const [claims, what] of [
      [{ htm: "get" }, "htm"],
      [{ htm: "POST" }, "htm"],
      [{ htm: undefined }, "htm"],
      [{ iat: NOW - 60.5 }, "iat"],
      [{ iat: NOW + 31 }, "iat"],
      [{ iat: `${NOW}` }, "iat"],
      [{ iat: undefined }, "iat"],
      [{ iat: [NOW] }, "iat"],
      [{ nbf: NOW + 31 }, "nbf"],
      [{ nbf: "0" }, "nbf"],
      [{ exp: NOW - 31 }, "exp"],
      [{ exp: null }, "exp"],
      [{ jti: "" }, "jti"],
      [{ jti: 7 }, "jti"],
      [{ jti: undefined }, "jti"],
      [{ jti: "a".repeat(257) }, "jti"],
      [{ ath: "x" }, "ath"],
      [{ ath: undefined }, "ath"],
    ] as const)
      expect([claims, judged({ token: "a.b.c", claims })]).toEqual([claims, refusal(what)]);
    for (const claims of [
      { iat: NOW - 60 },
      { iat: NOW + 30 },
      { nbf: NOW },
      { exp: NOW + 1 },
      { jti: "a".repeat(256) },
    ])
      expect(judged({ token: "a.b.c", claims })).toBe(ada.jkt);
    expect(judged({ token: "a.b.c" }, { token: "a.b.d" })).toEqual(refusal("ath"));
    expect(judged({}, { jkt: keyHolder().jkt })).toEqual(refusal("bound to"));
    expect(judged({}, { jkt: "" })).toEqual(refusal("bound to"));
  });

  it("holds one of the nonces, and is told the newest", () => {
    const nonces = ["new", "old"];
    for (const nonce of nonces) expect(judged({ nonce }, { nonces })).toBe(ada.jkt);
    for (const nonce of [undefined, "older", "", ["new"]]) {
      const lines = [ada.proof("GET", "/me", { now: NOW, claims: { nonce } })];
      const error = checkProof({ lines, method: "GET", url: "/me", nonces }, RULES, NOW * 1000);
      expect(error).toMatchObject({ code: "dpop_nonce_required", nonce: "new", status: 401 });
    }
  });

  it("is refused when any character is another one", () => {
    const line = ada.proof("GET", "/me", { now: NOW });
    const at = fc.nat(line.length - 1);
    const character = fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(at, character, (index, other) => {
        fc.pre(line[index] !== other);
        const changed = line.slice(0, index) + other + line.slice(index + 1);
        expect(checked({ lines: [changed] })).toMatch(/^dpop_proof_/);
      }),
    );
  });
});

describe("a proof of any content", () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<fc.JsonValue>({ toString: 1, valueOf: 1 }, [{ toString: 1 }], { length: -1 }, "\ud800"),
  );
  const put = (name: string, value: unknown) =>
    JSON.parse(JSON.stringify({ [name]: value })) as Record<string, unknown>;

  it("is refused or as good as ever, and never throws", () => {
    const header = fc.constantFrom("typ", "alg", "jwk", "kid", "crit", "x5c", "__proto__");
    const member = fc.constantFrom("kty", "crv", "x", "y", "n", "e", "use", "key_ops", "alg", "kid", "__proto__", "d");
    const claim = fc.constantFrom("htm", "htu", "iat", "nbf", "exp", "jti", "ath", "nonce", "__proto__");
    fc.assert(
      fc.property(header, member, claim, odd, (inHeader, inKey, inClaims, value) => {
        for (const options of [
          { header: put(inHeader, value) },
          { header: { jwk: { ...ada.jwk, ...put(inKey, value) } } },
          { claims: put(inClaims, value) },
        ]) {
          const verdict = judged({ token: "a.b.c", nonce: "n", ...options }, { nonces: ["n"] });
          if (verdict !== ada.jkt) expect(verdict).toMatch(/^dpop_(proof_invalid|nonce_required): /);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("the address of a proof", () => {
  const at = (htu: unknown, url = "/a/b", origins = [ORIGIN]) =>
    judged({ claims: { htu } }, { url }, { ...RULES, origins }) === ada.jkt;

  it("is that of the request without query and fragment, however it is spelled", () => {
    for (const htu of ["", "?x=1", "#x", "?x=%20/#?"]) expect([htu, at(`${ORIGIN}/a/b${htu}`)]).toEqual([htu, true]);
    for (const url of ["/a/b?c", "/a/b#c", "/a/%62", "/x/../a/./b", "/a/%2e%2e/a/b"])
      expect([url, at(`${ORIGIN}/a/b`, url)]).toEqual([url, true]);
    for (const htu of ["HTTPS://API.EXAMPLE/a/b", `${ORIGIN}:443/a/b`, `${ORIGIN}:/a/b`, `${ORIGIN}/%61/b`])
      expect([htu, at(htu)]).toEqual([htu, true]);
    expect(at(`${ORIGIN}/a%2fb`, "/a%2Fb")).toBe(true);
    expect(at(ORIGIN, "/")).toBe(true);
    expect(at("http://[::1]:3000/a/b", "/a/b", ["http://[::1]:3000"])).toBe(true);
    expect(at("https://b.example/a/b", "/a/b", [ORIGIN, "https://b.example"])).toBe(true);
  });

  it("is no other one", () => {
    const others = ["/a/b/", "/a//b", "/A/b", "/a%2Fb", "/a/b;", "/a/b%00", "", "/a", "/a/b/..", "/a/b/c"];
    for (const path of others) expect([path, at(`${ORIGIN}${path}`)]).toEqual([path, false]);
    for (const htu of [
      "https://api.example.evil.example/a/b",
      "https://evil.example/a/b",
      "http://api.example/a/b",
      "https://api.example:444/a/b",
      "https://api.example:0443/a/b",
      "https://api.example./a/b",
      "https://ada@api.example/a/b",
      "https://api.example@evil.example/a/b",
      "https://api%2Eexample/a/b",
      "/a/b",
      "//api.example/a/b",
      "api.example/a/b",
      "https:/api.example/a/b",
      "https:///api.example/a/b",
      " https://api.example/a/b",
      "https://api.example/a/b ",
      "https://api.example/a/b\n",
      "https://api.exa\tmple/a/b",
      "https://api.example\\a\\b",
      "https://api.example/a/b?x y",
      "https://api.example/a/b#x#y",
      "https://api.example/a/\u{62f}",
      "https://api.example/a/b%",
      "https://api.example/a/b%6",
      "ftp://api.example/a/b",
      7,
      undefined,
      ["https://api.example/a/b"],
    ])
      expect([htu, at(htu)]).toEqual([htu, false]);
    for (const url of ["", "*", "a/b", "http://api.example/a/b", "/a/b\\", "/a/b\u00e9", "@api.example/a/b"])
      expect([url, plainPath(url) === "/a/b"]).toEqual([url, false]);
  });

  it("is read in linear time", () => {
    for (const text of [
      `${ORIGIN}/${"%61/../".repeat(20_000)}`,
      `https://${"a".repeat(100_000)}`,
      `/${"/.".repeat(50_000)}!\\`,
    ]) {
      const since = performance.now();
      plainUri(text);
      plainPath(text);
      expect(performance.now() - since).toBeLessThan(500);
    }
  });
});

describe("a bound token", () => {
  it("is one with a claim cnf, whatever that says", () => {
    expect([boundTo({}), boundTo({ cnf: { jkt: "a" } })]).toEqual([undefined, "a"]);
    const others: unknown[] = [null, 7, "a", [], {}, { jkt: null }, { jkt: ["a"] }, { JKT: "a" }, { "x5t#S256": "a" }];
    for (const cnf of [...others, JSON.parse('{"__proto__":{"jkt":"a"}}')]) {
      expect([cnf, boundTo({ cnf })]).toEqual([cnf, ""]);
      expect(schemeFault({ cnf }, false, false)?.code).toBe("token_bound");
    }
  });

  it("comes by its own scheme, and no other token does", () => {
    const bound = { cnf: { jkt: "a" } };
    expect(schemeFault(bound, true, false)).toBeUndefined();
    expect(schemeFault({}, false, false)).toBeUndefined();
    expect(schemeFault(bound, false, true)?.code).toBe("token_bound");
    for (const [byDpop, required] of [
      [true, false],
      [true, true],
      [false, true],
    ] as const)
      expect(schemeFault({}, byDpop, required)?.code).toBe("token_unbound");
  });
});
