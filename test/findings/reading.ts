import { getCurrentUser, getJwt, getJwtHeader, getJwtIdentity, getJwtRequestLocation } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { askToken, codeOf, faultsOf } from "../support/asking.ts";
import { claimsOf, forge, goodClaims, requestOf, seconds, without } from "../support/forge.ts";
import { managerOf } from "../support/serve.ts";
import { oldStore } from "../support/stores.ts";

const old = { iat: seconds() - 900, exp: seconds() - 60 };

/** Part C of the findings, as far as it is about making and reading tokens. */
export function reading(): void {
  describe("C, tokens", () => {
    it("C9: an empty identity is refused when minted", async () => {
      expect(await codeOf(() => managerOf().createAccessToken(""))).toBe("identity_invalid");
    });
    it("C10: an identity that is no text is refused when minted, naming userIdentity", async () => {
      for (const identity of [7, null, undefined, {}, []]) {
        const error = await managerOf()
          .createTokenPair(identity)
          .catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "identity_invalid", message: expect.stringContaining("userIdentity") });
      }
    });
    it("C11: another identity claim holds text, when minted and when read", async () => {
      const manager = managerOf({ identityClaim: "uid" });
      expect(await codeOf(() => manager.createAccessToken(null))).toBe("identity_invalid");
      for (const uid of [null, 7, {}]) {
        expect((await askToken(manager, forge({ ...without("sub"), uid }))).code).toBe("token_claim");
      }
    });
    it("C15: any other fault of the token wins over its end", async () => {
      const manager = managerOf({ store: oldStore() });
      expect((await askToken(manager, forge({ ...without("sub"), ...old }))).code).toBe("token_claim");
      expect((await askToken(manager, forge(goodClaims({ ...old, aud: "x" })))).code).toBe("token_audience");
    });
    it("C16: expired wins over type, freshness and revocation", async () => {
      const manager = managerOf({ store: oldStore() });
      expect((await askToken(manager, forge(goodClaims({ ...old, type: "refresh" })))).code).toBe("token_expired");
      expect((await askToken(manager, forge(goodClaims(old)), { fresh: true })).code).toBe("token_expired");
      const revoked = forge(goodClaims(old));
      await manager.revokeToken(revoked);
      expect((await askToken(manager, revoked)).code).toBe("token_expired");
    });
    it("C24: outside of a guard every accessor throws, the location too", async () => {
      for (const access of [getJwt, getJwtHeader, getJwtIdentity, getJwtRequestLocation, getCurrentUser]) {
        expect(await codeOf(() => access())).toBe("ambient_context_off");
        expect(await codeOf(() => access({}))).toBe("no_auth_context");
      }
    });
    it("C25: decodeToken gives claims, getJti refuses expired tokens, revokeToken takes them", async () => {
      const manager = managerOf({ store: oldStore() });
      const token = await manager.createAccessToken("ada");
      await manager.revokeToken(token);
      expect((await manager.decodeToken(token)).sub).toBe("ada");
      expect(await manager.getJti(token)).toBe(claimsOf(token).jti);
      const expired = forge(goodClaims(old));
      expect(await codeOf(() => manager.getJti(expired))).toBe("token_expired");
      expect((await manager.decodeToken(expired, { allowExpired: true })).jti).toBe("some-jti");
      await manager.revokeToken(expired);
    });
    it("C26: decodeToken invents no claims", async () => {
      const bare = { sub: "ada", exp: seconds() + 60 };
      expect(await managerOf({ requireJti: false }).decodeToken(forge(bare))).toEqual(bare);
    });
    it("C27: times are finite numbers", async () => {
      for (const name of ["exp", "nbf", "iat"]) {
        for (const value of [String(seconds()), true, null, [], {}]) {
          expect((await askToken(managerOf(), forge(goodClaims({ [name]: value })))).code).toBe("token_claim");
        }
      }
      expect((await askToken(managerOf(), forge(goodClaims({ exp: seconds() + 60.5 })))).id).toBe("ada");
    });
    it("C28: fresh and exp are both exclusive", async () => {
      let now = Date.now();
      const manager = managerOf({ leeway: 0, clock: () => now });
      const start = Math.floor(now / 1000) * 1000;
      const token = forge(goodClaims({ iat: start / 1000, fresh: start / 1000 + 60, exp: start / 1000 + 120 }));
      now = start + 59_999;
      expect((await askToken(manager, token, { fresh: true })).id).toBe("ada");
      now = start + 60_000;
      expect((await askToken(manager, token, { fresh: true })).code).toBe("token_not_fresh");
      now = start + 119_999;
      expect((await askToken(manager, token)).id).toBe("ada");
      now = start + 120_000;
      expect((await askToken(manager, token)).code).toBe("token_expired");
    });
    it("C29: an empty audience is a fault", () => {
      for (const audience of ["", [], [""], ["a", ""]]) {
        expect(faultsOf(() => managerOf({ audience }))).toContain("audience must be");
        expect(faultsOf(() => managerOf({ decodeAudience: audience }))).toContain("decodeAudience must be");
      }
    });
    it("C30: an empty issuer is a fault, and a list of issuers works", async () => {
      for (const issuer of ["", [], [""]]) expect(faultsOf(() => managerOf({ issuer }))).toContain("issuer must be");
      const manager = managerOf({ issuer: ["a", "b"] });
      for (const iss of ["a", "b"]) expect((await askToken(manager, forge(goodClaims({ iss })))).id).toBe("ada");
      expect((await askToken(manager, forge(goodClaims({ iss: "c" })))).code).toBe("token_issuer");
      expect(claimsOf(await manager.createAccessToken("ada")).iss).toBe("a");
    });
    it("C31: decodeAlgorithms is the whole list, and is not changed", async () => {
      const decodeAlgorithms = ["HS512"];
      const manager = managerOf({ secretKey: "s".repeat(64), decodeAlgorithms });
      expect((await askToken(manager, await manager.createAccessToken("ada"))).code).toBe("token_invalid");
      expect(decodeAlgorithms).toEqual(["HS512"]);
    });
    it("C35: the signature comes first, and there is one sentence", async () => {
      const faults = await Promise.all(
        ["x", "a.b.c", forge("{not json", undefined, "z".repeat(32)), forge("{not json")].map(async (token) => {
          const { code, text } = await askToken(managerOf(), token);
          return [code, text.replace(/^.*"msg":/, "")];
        }),
      );
      expect(new Set(faults.map(String)).size).toBe(1);
      expect(faults[0]?.[0]).toBe("token_invalid");
    });
    it("C36: a segment has one spelling", async () => {
      const token = forge(goodClaims());
      const [header, payload, signature] = token.split(".");
      for (const other of [`${token}=`, `${header}=.${payload}.${signature}`, `${header}.${payload}=.${signature}`]) {
        expect((await askToken(managerOf(), other)).code).toBe("token_invalid");
      }
    });
    it("C37: a user may be 0, false or empty text", async () => {
      for (const user of [0, false, ""]) {
        const manager = managerOf({ loaders: { userLookup: () => user } });
        const auth = await manager.verifyRequest(
          requestOf({ headers: [["Authorization", `Bearer ${forge(goodClaims())}`]] }),
        );
        expect(auth.user).toBe(user);
      }
    });
    it("C39: a session carries claims through a refresh, and drops freshness", async () => {
      const manager = managerOf();
      const pair = await manager.createTokenPair("ada", { fresh: true, claims: { team: "x" } });
      const renewed = await manager.refreshTokenPair(pair.refresh_token);
      expect(claimsOf(renewed.access_token)).toMatchObject({ team: "x", fresh: false });
    });
    it("C39: a session carries headers through a refresh", async () => {
      const manager = managerOf();
      const pair = await manager.createTokenPair("ada", { headers: { tenant: "x" } });
      const renewed = await manager.refreshTokenPair(pair.refresh_token);
      expect(manager.getUnverifiedHeader(renewed.access_token)).toMatchObject({ tenant: "x" });
    });
    it("C40: a guard that asks for a fresh refresh token is a fault where it is defined", () => {
      for (const fresh of [true, "5m", 60])
        expect(faultsOf(() => managerOf().guard({ fresh, refresh: true }))).not.toBe("");
    });
    it("C41: a fresh duration of 0 is fresh for that second", async () => {
      let now = Date.now();
      const manager = managerOf({ clock: () => now });
      const token = await manager.createAccessToken("ada", { fresh: 0 });
      expect(typeof claimsOf(token).fresh).toBe("number");
      expect((await askToken(manager, token, { fresh: true })).id).toBe("ada");
      now += 6000;
      expect((await askToken(manager, token, { fresh: true })).code).toBe("token_not_fresh");
    });
    it("C43: skipRevocationCheck skips the blocklist alone, and allowExpired excuses exp alone", async () => {
      const asked: string[] = [];
      const loaders = {
        tokenInBlocklist: () => asked.push("blocklist") > 0,
        tokenVerification: () => asked.push("verification") < 0,
      };
      const manager = managerOf({ loaders });
      const answer = await askToken(manager, forge(goodClaims()), { skipRevocationCheck: true });
      expect([answer.code, asked]).toEqual(["invalid_claims", ["verification"]]);
      const wrong = forge(goodClaims({ ...old, aud: "x" }));
      expect(await codeOf(() => manager.decodeToken(wrong, { allowExpired: true }))).toBe("token_audience");
    });
  });
}
