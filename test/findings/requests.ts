import { describe, expect, it } from "vitest";
import { ask, askToken, codeOf, faultsOf } from "../support/asking.ts";
import { claimsOf, forge, goodClaims, requestOf, seconds } from "../support/forge.ts";
import { managerOf } from "../support/serve.ts";
import { oldStore } from "../support/stores.ts";

const auth = (value: string) => ({ headers: [["Authorization", value]] as const });
const expired = () => forge(goodClaims({ iat: seconds() - 900, exp: seconds() - 60 }));
const cookies = (options: object = {}) => managerOf({ tokenLocation: ["cookies"], ...options });
const at = (token: string) => ["cookie", `__Host-access_token=${token}`] as const;

/** Part C of the findings, as far as it is about requests, answers and cookies. */
export function requests(): void {
  describe("C, requests", () => {
    it("C1: every bad token is 401", async () => {
      const tokens = [
        "x",
        forge(goodClaims(), undefined, "another-secret-of-at-least-32-bytes!"),
        forge(goodClaims(), { alg: "HS512" }),
        forge(goodClaims({ aud: "x" })),
        forge(goodClaims({ nbf: seconds() + 100 })),
        forge(goodClaims({ type: "refresh" })),
        expired(),
      ];
      for (const token of tokens) expect((await askToken(managerOf(), token)).status).toBe(401);
    });
    it("C2: every 401 has a challenge", async () => {
      for (const request of [{}, auth("Bearer x"), auth(`Bearer ${expired()}`)]) {
        const { reply } = await ask(managerOf(), request);
        expect(reply?.headers.map(([name]) => name)).toContain("www-authenticate");
      }
    });
    it("C3: CSRF failures are 403 and go through loaders.error", async () => {
      const seen: string[] = [];
      const reply = { status: 403, headers: [] };
      const unauthorized = () => {
        seen.push("unauthorized");
        return reply;
      };
      const error = ({ code }: { code: string }) => {
        seen.push(code);
        return reply;
      };
      const manager = cookies({ loaders: { unauthorized, error } });
      const token = await manager.createAccessToken("ada");
      expect((await ask(manager, { method: "POST", headers: [at(token)] })).status).toBe(403);
      expect((await ask(manager, { method: "POST", headers: [at(token), ["x-csrf-token", "x"]] })).status).toBe(403);
      expect(seen).toEqual(["csrf_missing", "csrf_mismatch"]);
      expect((await ask(cookies(), { method: "POST", headers: [at(token)] })).status).toBe(403);
    });
    it("C4: the scheme has no case", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      for (const scheme of ["bearer", "BEARER", "bEaReR"])
        expect((await ask(manager, auth(`${scheme} ${token}`))).id).toBe("ada");
    });
    it("C5: nobody is anonymous without noticing", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      expect((await ask(manager, auth(`bearer ${token}`), { optional: true })).id).toBe("ada");
      const two = await ask(manager, auth(`Bearer ${token}, Bearer ${token}`), { optional: true });
      expect([two.status, two.code]).toEqual([400, "invalid_request"]);
    });
    it("C6: a comma list is 400", async () => {
      const token = await managerOf().createAccessToken("ada");
      for (const value of [
        `Basic x, Bearer ${token}`,
        `Bearer ${token}, Basic x`,
        `,,Bearer ${token},,`,
        "Digest a=b, c=d",
      ]) {
        expect((await ask(managerOf(), auth(value))).code).toBe("invalid_request");
      }
    });
    it("C7: two Bearer credentials are 400", async () => {
      const token = await managerOf().createAccessToken("ada");
      expect((await ask(managerOf(), auth(`Bearer ${token}, Bearer ${token}`))).status).toBe(400);
      const lines = [["authorization", `Bearer ${token}`] as const, ["authorization", `Bearer ${token}`] as const];
      expect((await ask(managerOf(), { headers: lines })).status).toBe(400);
    });
    it("C8: with an empty header type the token stands alone", async () => {
      const manager = managerOf({ headerType: "" });
      const token = await manager.createAccessToken("ada");
      expect((await ask(manager, auth(token))).id).toBe("ada");
      for (const value of [`${token},`, `,${token}`, `Bearer ${token}`])
        expect((await ask(manager, auth(value))).status).toBe(400);
    });
    it("C12: optional routes refuse bad tokens, and lenient ones excuse the end alone", async () => {
      const manager = managerOf({ store: oldStore() });
      for (const token of ["x", forge(goodClaims({ type: "refresh" }))]) {
        expect((await askToken(manager, token, { optional: true })).status).toBe(401);
        expect((await askToken(manager, token, { optional: "lenient" })).status).toBe(401);
      }
      expect((await askToken(manager, expired(), { optional: true })).code).toBe("token_expired");
      expect((await askToken(manager, expired(), { optional: "lenient" })).id).toBeNull();
    });
    it("C13: the first token ends the search, but an expired cookie yields to a header", async () => {
      const manager = managerOf({ tokenLocation: ["cookies", "headers"] });
      const header = ["authorization", `Bearer ${await manager.createAccessToken("ada")}`] as const;
      expect((await ask(manager, { headers: [at(expired()), header] })).id).toBe("ada");
      expect((await ask(manager, { headers: [at("x"), header] })).code).toBe("token_invalid");
      expect((await ask(manager, { headers: [at(expired())] })).code).toBe("token_expired");
      expect((await ask(manager, { headers: [at(expired()), ["authorization", "Bearer x"]] })).code).toBe(
        "token_invalid",
      );
    });
    it("C14: verifyType: false reads both names", async () => {
      const manager = managerOf({ tokenLocation: ["cookies", "json"] });
      const refresh = await manager.createRefreshToken("ada");
      const any = { verifyType: false };
      expect((await ask(manager, { headers: [["cookie", `__Host-refresh_token=${refresh}`]] }, any)).id).toBe("ada");
      const body = { kind: "json", value: { refresh_token: refresh } } as const;
      expect((await ask(manager, { body }, any)).id).toBe("ada");
    });
    it("C17: the CSRF value is demanded before the token is looked at", async () => {
      expect((await ask(cookies(), { method: "POST", headers: [at("broken")] })).code).toBe("csrf_missing");
    });
    it("C18: a cookie minted without CSRF protection is 403 once it is switched on", async () => {
      const token = await cookies({ cookieCsrfProtect: false }).createAccessToken("ada");
      const answer = await ask(cookies({ store: oldStore() }), {
        method: "POST",
        headers: [at(token), ["x-csrf-token", "x"]],
      });
      expect([answer.status, answer.code]).toEqual([403, "csrf_missing_claim"]);
    });
    it("C19: the csrf claim is minted where cookies are among the locations alone", async () => {
      expect(claimsOf(await managerOf().createAccessToken("ada"))).not.toHaveProperty("csrf");
      expect(claimsOf(await cookies().createAccessToken("ada"))).toHaveProperty("csrf");
    });
    it("C20: setting cookies verifies nothing", async () => {
      for (const token of [
        expired(),
        forge(goodClaims({ aud: "x" })),
        forge(goodClaims(), undefined, "y".repeat(32)),
      ]) {
        expect((await cookies().cookieHeaders("access", token))[0]?.[1]).toContain(token);
      }
    });
    it("C21: maxAge 0 expires, and an empty domain is a fault", async () => {
      const manager = cookies();
      const token = await manager.createAccessToken("ada");
      expect((await manager.cookieHeaders("access", token, { maxAge: 0 }))[0]?.[1]).toContain("Max-Age=0");
      expect(await codeOf(() => manager.cookieHeaders("access", token, { domain: "" }))).toBe("cookie_unusable");
      expect(faultsOf(() => cookies({ cookieDomain: "" }))).toContain("cookieDomain");
    });
    it("C22: a cookie lives as long as its token", async () => {
      const manager = cookies();
      const line = (
        await manager.cookieHeaders("access", await manager.createAccessToken("ada", { expires: "3m" }))
      )[0]?.[1];
      expect(Number(/Max-Age=(\d+)/.exec(line ?? "")?.[1])).toBeGreaterThan(175);
    });
    it("C23: only a CORS preflight passes, with nobody behind it", async () => {
      const manager = managerOf();
      const preflight = [
        ["origin", "https://a.example"],
        ["access-control-request-method", "POST"],
      ] as const;
      const answer = await ask(manager, { method: "OPTIONS", headers: preflight });
      expect([answer.status, answer.id]).toEqual([200, undefined]);
      expect((await ask(manager, { method: "OPTIONS" })).code).toBe("token_missing");
      expect((await ask(manager, { method: "OPTIONS", headers: [preflight[0]] })).status).toBe(401);
      expect(await codeOf(() => manager.verifyRequest(requestOf({ method: "OPTIONS", headers: preflight })))).toBe(
        "token_missing",
      );
    });
    it("C32: application/json and +json are JSON, text/json is not", async () => {
      const { parseBody } = await import("../../src/http/body.ts");
      for (const type of ["application/json", "Application/JSON; charset=x", "application/vnd.api+json"]) {
        expect(parseBody(type, "{}").kind).toBe("json");
      }
      for (const type of ["text/json", "text/plain", "application/jsonp", "json"])
        expect(parseBody(type, "{}").kind).toBe("none");
    });
    it("C33: a token in JSON that is no text is 401", async () => {
      const manager = managerOf({ tokenLocation: ["json"] });
      for (const access_token of [1, true, {}, ["x"]]) {
        const answer = await ask(manager, { body: { kind: "json", value: { access_token } } });
        expect([answer.status, answer.code]).toEqual([401, "token_invalid"]);
      }
    });
    it("C34: the identity is never echoed", async () => {
      const manager = managerOf({ loaders: { userLookup: () => null } });
      const answer = await askToken(manager, forge(goodClaims({ sub: "<b>marker</b>" })));
      expect([answer.code, answer.text.includes("marker")]).toEqual(["user_not_found", false]);
    });
    it("C38: the sentences are our own and name what was looked for", async () => {
      const manager = managerOf({ tokenLocation: ["headers", "cookies", "query_string", "json"] });
      const { text } = await ask(manager);
      for (const word of ["Authorization", "__Host-access_token", "jwt", "JSON"]) expect(text).toContain(word);
      expect(text).not.toMatch(/paramater|JWT_ACCESS_HEADER_NAME/);
    });
    it("C42: the refresh token's JSON member is refresh_token", async () => {
      const manager = managerOf({ tokenLocation: ["json"] });
      const refresh_token = await manager.createRefreshToken("ada");
      expect((await ask(manager, { body: { kind: "json", value: { refresh_token } } }, { refresh: true })).id).toBe(
        "ada",
      );
    });
  });
}
