import { memoryStore } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { ask, askToken, codeOf, faultsOf } from "../support/asking.ts";
import { claimsOf, forge, goodClaims, seconds, without } from "../support/forge.ts";
import { managerOf, SECRET } from "../support/serve.ts";

/** Part A of the findings: unsafe in the original, and done differently on purpose. */
export function unsafe(): void {
  describe("A, unsafe", () => {
    it("A1: a lifetime of zero is refused, wherever it is given", async () => {
      const manager = managerOf();
      expect(faultsOf(() => managerOf({ accessTokenExpires: 0 }))).toContain("accessTokenExpires must not be 0");
      expect(faultsOf(() => managerOf({ refreshTokenExpires: "0s" }))).toContain("refreshTokenExpires must not be 0");
      expect(await codeOf(() => manager.createAccessToken("ada", { expires: 0 }))).toBe("lifetime_invalid");
      expect(await codeOf(() => manager.createRefreshToken("ada", { expires: "0m" }))).toBe("lifetime_invalid");
      expect(await codeOf(() => manager.createAccessToken("ada", { expires: false }))).toBe("lifetime_invalid");
    });
    it("A2: a type must be exactly access or refresh", async () => {
      for (const type of ["id", "app", "REFRESH", "refresh ", 1, null, ["access"]]) {
        expect((await askToken(managerOf(), forge(goodClaims({ type })))).code).toBe("wrong_token_type");
      }
      expect((await askToken(managerOf(), forge(without("type")))).code).toBe("wrong_token_type");
    });
    it("A3: a token without exp is refused, unless endless tokens are configured", async () => {
      expect((await askToken(managerOf(), forge(without("exp")))).code).toBe("token_claim");
      const endless = managerOf({
        maxAccessLifetime: false,
        accessTokenExpires: false,
        maxRefreshLifetime: false,
        refreshTokenExpires: false,
      });
      expect((await askToken(endless, await endless.createAccessToken("ada"))).id).toBe("ada");
    });
    it("A4: short secrets are refused at start", () => {
      for (const [algorithm, bytes] of [
        ["HS256", 32],
        ["HS384", 48],
        ["HS512", 64],
      ] as const) {
        const secret = "s".repeat(bytes - 1);
        expect(faultsOf(() => managerOf({ algorithm, secretKey: secret }))).toContain(`fewer than ${bytes} bytes`);
        expect(faultsOf(() => managerOf({ algorithm, secretKey: `${secret}s` }))).toBe("");
      }
      for (const secretKey of ["", undefined]) expect(faultsOf(() => managerOf({ secretKey }))).toMatch(/^secretKey/);
    });
    it("A5: a token without jti is refused, and may be let in by requireJti: false", async () => {
      expect((await askToken(managerOf(), forge(without("jti")))).code).toBe("token_claim");
      expect((await askToken(managerOf({ requireJti: false }), forge(without("jti")))).id).toBe("ada");
    });
    it("A6: additional claims never replace reserved ones", async () => {
      const reserved = ["sub", "type", "exp", "nbf", "iat", "jti", "sid", "gen", "csrf", "fresh", "iss", "aud", "cnf"];
      for (const name of reserved) {
        const claims = { [name]: null };
        expect(await codeOf(() => managerOf().createAccessToken("ada", { claims }))).toBe("claim_reserved");
        const loading = managerOf({ loaders: { additionalClaims: () => claims } });
        expect(await codeOf(() => loading.createTokenPair("ada"))).toBe("claim_reserved");
      }
    });
    it("A7: additional headers never replace alg, typ, crit or b64", async () => {
      for (const headers of [{ alg: "HS512" }, { alg: null }, { typ: "x" }, { crit: ["x"] }, { b64: false }]) {
        expect(await codeOf(() => managerOf().createAccessToken("ada", { headers }))).toBe("header_reserved");
        const loading = managerOf({ loaders: { additionalHeaders: () => headers } });
        expect(await codeOf(() => loading.createAccessToken("ada"))).toBe("header_reserved");
      }
    });
    it("A8: the identity claim cannot be a reserved one", () => {
      for (const identityClaim of ["jti", "type", "exp", "csrf", "sid", "fresh", "iat"]) {
        expect(faultsOf(() => managerOf({ identityClaim }))).toContain("identityClaim");
      }
      expect(faultsOf(() => managerOf({ identityClaim: "uid" }))).toBe("");
    });
    it("A9: decodeKey is asked for accepted algorithms only, and its errors are a refusal", async () => {
      let asked = 0;
      const decodeKey = (): string => {
        asked++;
        throw new Error("no such tenant");
      };
      const manager = managerOf({ loaders: { decodeKey }, audience: false });
      expect((await askToken(manager, forge(goodClaims(), { alg: "HS512", typ: "JWT" }))).code).toBe("token_invalid");
      expect(asked).toBe(0);
      expect((await askToken(manager, forge(goodClaims()))).code).toBe("token_invalid");
      expect(asked).toBe(1);
    });
    it("A10: CSRF methods are compared without case", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"], csrfMethods: ["post"] });
      const cookie = `__Host-access_token=${await manager.createAccessToken("ada")}`;
      for (const method of ["POST", "post", "Post"]) {
        expect((await ask(manager, { method, headers: [["cookie", cookie]] })).code).toBe("csrf_missing");
      }
    });
    it("A11: the query string is not read unless it is asked for", async () => {
      const manager = managerOf();
      expect((await ask(manager, { url: `/?jwt=${await manager.createAccessToken("ada")}` })).code).toBe(
        "token_missing",
      );
    });
    it("A12: a typ that is no text is refused", async () => {
      for (const typ of [1, null, true, ["JWT"], {}]) {
        expect((await askToken(managerOf(), forge(goodClaims(), { alg: "HS256", typ }))).code).toBe("token_invalid");
      }
    });
    it("A12: a typ that names another kind of token is refused", async () => {
      for (const typ of ["dpop+jwt", "logout+jwt", "secevent+jwt", "application/dpop+jwt"]) {
        expect([typ, (await askToken(managerOf(), forge(goodClaims(), { alg: "HS256", typ }))).status]).toEqual([
          typ,
          401,
        ]);
      }
    });
    it("A13: an algorithm that does not fit the key is a fault at start", () => {
      expect(faultsOf(() => managerOf({ decodeAlgorithms: ["HS256", "RS256"] }))).toContain(
        "decodeAlgorithms names RS256",
      );
      expect(faultsOf(() => managerOf({ algorithm: "RS256" }))).toContain("privateKey");
      expect(faultsOf(() => managerOf({ decodeAlgorithms: ["none"] }))).toContain("decodeAlgorithms must be");
    });
    it("A14: a token with aud is refused while no audience is configured", async () => {
      for (const aud of ["foo", ["foo"], []]) {
        expect((await askToken(managerOf(), forge(goodClaims({ aud })))).code).toBe("token_audience");
        expect((await askToken(managerOf({ audience: false }), forge(goodClaims({ aud })))).id).toBe("ada");
      }
    });
    it("A15: options are checked at start", () => {
      for (const leeway of [-1, true, "5", 301, 1.5, Number.NaN]) {
        expect(faultsOf(() => managerOf({ leeway }))).toContain("leeway must be whole seconds from 0 to 300");
      }
    });
    it("A16: leeway counts for timed freshness", async () => {
      const token = forge(goodClaims({ fresh: seconds() - 10 }));
      expect((await askToken(managerOf({ leeway: 60 }), token, { fresh: true })).id).toBe("ada");
      expect((await askToken(managerOf({ leeway: 0 }), token, { fresh: true })).code).toBe("token_not_fresh");
    });
    it("A17: a refresh token works once, its reuse ends the session, and it dies with its session", async () => {
      const manager = managerOf({ grace: 0 });
      const first = await manager.createTokenPair("ada");
      const second = await manager.refreshTokenPair(first.refresh_token);
      expect(second.refresh_token).not.toBe(first.refresh_token);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await codeOf(() => manager.refreshTokenPair(first.refresh_token))).toBe("token_reused");
      expect(await codeOf(() => manager.refreshTokenPair(second.refresh_token))).toBe("session_ended");
      expect((await askToken(manager, second.access_token)).code).toBe("token_revoked");
      const other = await manager.createTokenPair("ada");
      await manager.revokeSession(String(claimsOf(other.refresh_token).sid));
      expect(await codeOf(() => manager.refreshTokenPair(other.refresh_token))).toBe("session_ended");
    });
    it("A18: clearing cookies revokes nothing, and revokeSession does", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"] });
      const { access_token } = await manager.createTokenPair("ada");
      const headers = [["cookie", `__Host-access_token=${access_token}`]] as const;
      await manager.unsetCookieHeaders(["access", "refresh"]);
      expect((await ask(manager, { headers })).id).toBe("ada");
      await manager.revokeSession(String(claimsOf(access_token).sid));
      expect((await ask(manager, { headers })).code).toBe("token_revoked");
    });
    it("A19: cookies are Secure and SameSite=Lax, and what browsers would drop is a fault", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"] });
      const lines = await manager.cookieHeaders("access", await manager.createAccessToken("ada"));
      for (const [name, line] of lines) if (name === "set-cookie") expect(line).toMatch(/; Secure; SameSite=Lax$/);
      const broken: object[] = [
        { cookieSameSite: "None", cookieSecure: false },
        { accessCookieName: "__Host-a", cookieSecure: false },
        { accessCookieName: "__Host-a", cookieDomain: "example.com" },
        { accessCookieName: "__Host-a", accessCookiePath: "/api" },
        { refreshCookieName: "__Secure-a", cookieSecure: false },
      ];
      for (const options of broken) expect(faultsOf(() => managerOf({ ...options }))).not.toBe("");
      expect(faultsOf(() => managerOf({ secretKey: SECRET, store: memoryStore() }))).toBe("");
    });
  });

  describe("B, crashes", () => {
    const json = (value: unknown) => ({ method: "POST", body: { kind: "json", value } as const });
    it("B1: a JSON body that is no object is no token", async () => {
      const manager = managerOf({ tokenLocation: ["json"] });
      for (const value of [["a"], [1], "text", 5, true, null, []]) {
        expect((await ask(manager, json(value))).code).toBe("token_missing");
        expect((await ask(manager, json(value), { optional: true })).id).toBeNull();
      }
    });
    it("B2: a CSRF value that is no ASCII, and a claim that is no text, are a mismatch", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"] });
      const post = (csrf: unknown, value: string) => {
        const cookie = `__Host-access_token=${forge(goodClaims({ csrf }))}`;
        return ask(manager, {
          method: "POST",
          headers: [
            ["cookie", cookie],
            ["x-csrf-token", value],
          ],
        });
      };
      for (const [claim, value] of [
        ["ok", "é"],
        ["ok", "\u{1f600}"],
        [1, "1"],
        [null, "null"],
        ["é", "e"],
        [["a"], "a"],
        [{}, "x"],
      ]) {
        const answer = await post(claim, String(value));
        expect([answer.status, answer.code]).toEqual([403, "csrf_mismatch"]);
      }
    });
    it("B3: a token whose algorithm does not fit the key is a refusal", async () => {
      for (const alg of ["RS256", "ES256", "EdDSA", "none", "None", "HS512", "hs256", ""]) {
        const answer = await askToken(managerOf(), forge(goodClaims(), { alg, typ: "JWT" }));
        expect([alg, answer.status, answer.code]).toEqual([alg, 401, "token_invalid"]);
      }
    });
    it("B4: a fresh claim of any type is no crash on a fresh route", async () => {
      for (const fresh of [null, "yes", [], {}, [1]]) {
        expect((await askToken(managerOf(), forge(goodClaims({ fresh })), { fresh: true })).code).toBe(
          "token_not_fresh",
        );
      }
    });
    it("B5: getCsrfToken of a token without the claim is an error of ours", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      expect(await codeOf(() => manager.getCsrfToken(token))).toBe("claims_invalid");
    });
    it("B6: a payload with NaN or Infinity is no JSON, and refused", async () => {
      for (const value of ["NaN", "Infinity", "-Infinity"]) {
        const text = JSON.stringify(goodClaims({ x: "here" })).replace('"here"', value);
        expect([value, (await askToken(managerOf(), forge(text))).code]).toEqual([value, "token_invalid"]);
      }
    });
  });
}
