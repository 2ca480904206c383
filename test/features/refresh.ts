import { describe, expect, it } from "vitest";
import { act, cookiesOf, passed, refused, who } from "../support/answers.ts";
import { claimsOf, seconds } from "../support/forge.ts";
import type { AnyManager, Harness } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

/** A route that renews the token it is sent, as an application would write it. */
const renewing = (manager: AnyManager) =>
  act("/refresh", async (tools) => {
    const { refresh_token } = (await tools.body()) as { refresh_token: string };
    return tools.sendTokens(await manager.refreshTokenPair(refresh_token));
  });

/** Pairs that belong to a session, and their renewal. What becomes of a token that comes twice: `rotation.ts`. */
export function feature(harness: Harness): void {
  describe("refresh", () => {
    it("answers a login as RFC 6749 has it, without caching", async () => {
      const manager = managerOf();
      const login = act("/login", async (tools) =>
        tools.sendTokens(await manager.createTokenPair("ada"), { status: 201 }),
      );
      await serving(harness, manager, [login, who()], {}, async ({ get }) => {
        const answer = await get("/login");
        expect([answer.status, answer.header("cache-control"), answer.setCookies]).toEqual([201, ["no-store"], []]);
        const body = answer.json() as Record<string, string>;
        const text = expect.any(String);
        expect(body).toEqual({ access_token: text, refresh_token: text, token_type: "Bearer", expires_in: 900 });
        const seen = await get("/me", bearer(body.access_token ?? ""));
        passed(seen);
        expect(seen.json()).toMatchObject({ session: claimsOf(body.access_token ?? "").sid });
      });
    });

    it("gives a new pair of the same session, never a fresh one", async () => {
      const manager = managerOf();
      const login = await manager.createTokenPair("ada", { fresh: true, claims: { team: "x" }, headers: { k: 1 } });
      await serving(harness, manager, [renewing(manager), who()], {}, async ({ get, postJson }) => {
        let last = login.refresh_token;
        for (let round = 1; round <= 3; round++) {
          const answer = await postJson("/refresh", JSON.stringify({ refresh_token: last }));
          expect(answer.status).toBe(200);
          const { access_token, refresh_token } = answer.json() as { access_token: string; refresh_token: string };
          expect(claimsOf(refresh_token)).toMatchObject({ sid: claimsOf(last).sid, gen: round, type: "refresh" });
          expect(claimsOf(refresh_token).jti).not.toBe(claimsOf(last).jti);
          last = refresh_token;
          passed(await get("/me", bearer(access_token)));
          const [before, after] = [claimsOf(login.access_token), claimsOf(access_token)];
          expect(after).toMatchObject({ sub: "ada", type: "access", fresh: false, team: "x" });
          expect([after.sid, after.auth_time]).toEqual([before.sid, before.auth_time]);
          expect(after.jti).not.toBe(before.jti);
        }
      });
    });

    it("refuses what is no live refresh token of a session", async () => {
      const manager = managerOf();
      const mine = await manager.createTokenPair("ada");
      const ended = await manager.createTokenPair("ada");
      await manager.revokeSession(String(claimsOf(ended.access_token).sid));
      const revoked = await manager.createTokenPair("ada");
      await manager.revokeToken(revoked.refresh_token);
      const foreign = await managerOf().createTokenPair("ada");
      const bad: [unknown, string][] = [
        [await manager.createRefreshToken("ada"), "session_required"],
        [mine.access_token, "wrong_token_type"],
        ["x", "token_invalid"],
        ["", "token_invalid"],
        [7, "token_invalid"],
        [null, "token_invalid"],
        [ended.refresh_token, "session_ended"],
        [revoked.refresh_token, "session_ended"],
        [foreign.refresh_token, "session_unknown"],
      ];
      await serving(harness, manager, [renewing(manager)], {}, async ({ postJson }) => {
        for (const [refresh_token, code] of bad) {
          const answer = await postJson("/refresh", JSON.stringify({ refresh_token }));
          const { code: found } = answer.json() as { code: string };
          expect(found).toBe(code);
          refused(answer, 401, found);
        }
        expect((await postJson("/refresh", JSON.stringify(mine))).status).toBe(200);
      });
    });

    it("stops where the user is gone or is no longer accepted", async () => {
      let here = true;
      let fine = true;
      const loaders = { userLookup: () => (here ? { name: "Ada" } : null), tokenVerification: () => fine };
      const manager = managerOf({ loaders });
      const { refresh_token } = await manager.createTokenPair("ada");
      const body = JSON.stringify({ refresh_token });
      await serving(harness, manager, [renewing(manager)], {}, async ({ postJson }) => {
        expect((await postJson("/refresh", body)).status).toBe(200);
        here = false;
        refused(await postJson("/refresh", body), 401, "user_not_found");
        here = true;
        fine = false;
        refused(await postJson("/refresh", body), 401, "invalid_claims");
      });
    });

    it("asks the claims loader again, and takes its newest answer", async () => {
      let roles = ["admin"];
      const manager = managerOf({ loaders: { additionalClaims: () => ({ roles }) } });
      const { refresh_token } = await manager.createTokenPair("ada");
      roles = ["guest"];
      const { access_token } = await manager.refreshTokenPair(refresh_token);
      const route = who({ roles: "admin" }, "/admin");
      await serving(harness, manager, [route], {}, async ({ get }) => {
        refused(await get("/admin", bearer(access_token)), 403, "insufficient_role");
      });
    });

    it("asks no loader for what it cannot know", async () => {
      const userIdentity = (user: { id: number }) => String(user.id);
      let factor = 2;
      const additionalClaims = (user: { id: number }) => ({ scaled: user.id * factor });
      const blind = managerOf({ loaders: { userIdentity, additionalClaims } });
      const seeing = managerOf({ loaders: { userIdentity, additionalClaims, userLookup: () => ({ id: 7 }) } });
      const another = managerOf({ loaders: { userIdentity, additionalClaims, userLookup: () => ({ id: 8 }) } });
      const pairs = await Promise.all([blind, seeing, another].map((manager) => manager.createTokenPair({ id: 7 })));
      factor = 3;
      const [carried, asked, unlike] = await Promise.all(
        [blind, seeing, another].map((manager, at) => manager.refreshTokenPair(pairs[at]?.refresh_token ?? "")),
      );
      expect(claimsOf(carried?.access_token ?? "")).toMatchObject({ sub: "7", scaled: 14 });
      expect(claimsOf(asked?.access_token ?? "")).toMatchObject({ sub: "7", scaled: 21 });
      // What was looked up is not the user of this token: it has no say in its claims.
      expect(claimsOf(unlike?.access_token ?? "")).toMatchObject({ sub: "7", scaled: 14 });
    });

    it("ends with the session, which bounds every token of it", async () => {
      const start = 1_800_000_000_000;
      let now = start;
      const manager = managerOf({ clock: () => now, maxRefreshLifetime: "30d" });
      const { refresh_token } = await manager.createTokenPair("ada");
      now = start + 30 * 86_400_000 - 60_000;
      const last = await manager.refreshTokenPair(refresh_token);
      expect(claimsOf(last.access_token).exp).toBe(start / 1000 + 30 * 86_400);
      expect(last.expires_in).toBe(60);
      now = start + 30 * 86_400_000 + 6000;
      await expect(manager.refreshTokenPair(refresh_token)).rejects.toMatchObject({ status: 401 });
    });

    it("makes tokens for the session of another", async () => {
      const manager = managerOf({ tokenLocation: ["headers", "cookies"] });
      const pair = await manager.createTokenPair("ada");
      const more = act("/more", async (tools) => {
        const auth = await tools.verifyRequest();
        if (auth.identity === null) return { json: null };
        return { json: await manager.createAccessToken(auth.identity, { session: auth, expires: "5m" }) };
      });
      await serving(harness, manager, [more, who()], {}, async ({ get }) => {
        const token = (await get("/more", bearer(pair.access_token))).json() as string;
        passed(await get("/me", bearer(token)));
        const [first, second] = [claimsOf(pair.access_token), claimsOf(token)];
        for (const name of ["sid", "auth_time", "csrf"]) expect(second[name]).toBe(first[name]);
        expect(Number(second.exp)).toBeLessThanOrEqual(seconds() + 300);
        await manager.revokeSession(String(first.sid));
        refused(await get("/me", bearer(token)), 401, "token_revoked");
      });
      const auth = { sessionId: String(claimsOf(pair.access_token).sid) };
      await expect(manager.createAccessToken("ada", { session: auth })).rejects.toMatchObject({
        code: "session_ended",
      });
      const other = { sessionId: String(claimsOf((await manager.createTokenPair("bob")).access_token).sid) };
      await expect(manager.createAccessToken("ada", { session: other })).rejects.toMatchObject({
        code: "session_unknown",
      });
    });

    it("keeps the CSRF values of a session and changes them at a login", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"] });
      const login = act("/login", async (tools) => tools.sendTokens(await manager.createTokenPair("ada")));
      await serving(harness, manager, [login], {}, async ({ get }) => {
        const [one, two] = [cookiesOf(await get("/login")), cookiesOf(await get("/login"))];
        const renewed = await manager.refreshTokenPair(one["__Host-refresh_token"]?.value ?? "");
        expect(claimsOf(renewed.access_token).csrf).toBe(one["__Host-csrf_access"]?.value);
        for (const name of Object.keys(one)) expect(two[name]?.value).not.toBe(one[name]?.value);
      });
    });
  });
}
