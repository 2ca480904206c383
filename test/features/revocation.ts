import { memoryStore, type RevocationQuery } from "jwt-extended";
import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { passed, refused, who } from "../support/answers.ts";
import { claimsOf, forge, goodClaims, seconds } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { readyRoutes } from "../support/ready.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";
import { brokenStore, downStore, hanging } from "../support/stores.ts";

/** Taking tokens back, and what happens where the store does not answer. */
export function feature(harness: Harness): void {
  const routes = [
    who(),
    who({ refresh: true }, "/refresh"),
    who({ optional: true }, "/optional"),
    who({ skipRevocationCheck: true }, "/unchecked"),
  ];

  describe("revocation", () => {
    it("of one token leaves its session alive", async () => {
      const manager = managerOf();
      const pair = await manager.createTokenPair("ada");
      const other = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        passed(await get("/me", bearer(pair.access_token)));
        await manager.revokeToken(pair.access_token);
        await manager.revokeToken(pair.access_token);
        refused(await get("/me", bearer(pair.access_token)), 401, "token_revoked");
        refused(await get("/optional", bearer(pair.access_token)), 401, "token_revoked");
        passed(await get("/unchecked", bearer(pair.access_token)));
        passed(await get("/refresh", bearer(pair.refresh_token)));
        passed(await get("/me", bearer(other)));
        passed(await get("/me", bearer((await manager.refreshTokenPair(pair.refresh_token)).access_token)));
      });
    });

    it("of a session ends access and refresh token together, and no other session", async () => {
      const manager = managerOf();
      const [mine, other] = [await manager.createTokenPair("ada"), await manager.createTokenPair("ada")];
      const renewed = await manager.refreshTokenPair(mine.refresh_token);
      const logout = {
        ...who({}, "/logout"),
        handler: async (tools: { getAuth(): { sessionId: string | undefined } }) => {
          await manager.revokeSession(String(tools.getAuth().sessionId));
          return { json: "bye" };
        },
      };
      await serving(harness, manager, [...routes, logout], {}, async ({ get, send }) => {
        const { status } = await send({ method: "POST", path: "/logout", headers: [bearer(mine.access_token)] });
        expect(status).toBe(200);
        for (const token of [mine.access_token, renewed.access_token]) {
          refused(await get("/me", bearer(token)), 401, "token_revoked");
        }
        refused(await get("/refresh", bearer(mine.refresh_token)), 401, "token_revoked");
        await expect(manager.refreshTokenPair(mine.refresh_token)).rejects.toMatchObject({ status: 401 });
        passed(await get("/me", bearer(other.access_token)));
        passed(await get("/refresh", bearer(other.refresh_token)));
      });
    });

    it("of a subject ends all that began before, and nothing after", async () => {
      let now = Date.now();
      const manager = managerOf({ clock: () => now });
      now += 5000;
      const before = await manager.createTokenPair("ada");
      const single = await manager.createAccessToken("ada");
      const bob = await manager.createTokenPair("bob");
      await manager.revokeSubject("ada");
      const after = await manager.createTokenPair("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const token of [before.access_token, single]) {
          refused(await get("/me", bearer(token)), 401, "token_revoked");
        }
        refused(await get("/refresh", bearer(before.refresh_token)), 401, "token_revoked");
        passed(await get("/me", bearer(after.access_token)));
        passed(await get("/me", bearer(bob.access_token)), "bob");
        now += 1000;
        passed(await get("/me", bearer(await manager.createAccessToken("ada"))));
      });
    });

    it("is not undone by a restart: who logged in before must log in again", async () => {
      const clock = fakeClock();
      const before = managerOf({ clock, store: memoryStore({ clock }) });
      clock.advance(5);
      const [pair, ended] = [await before.createTokenPair("ada"), await before.createTokenPair("ada")];
      const single = await before.createAccessToken("ada");
      await before.revokeSession(String(claimsOf(ended.access_token).sid));
      clock.advance(5);
      const manager = managerOf({ clock, store: memoryStore({ clock }) });
      await serving(harness, manager, routes, readyRoutes(manager), async ({ get, send }) => {
        for (const token of [pair.access_token, ended.access_token, single])
          refused(await get("/me", bearer(token)), 401, "token_revoked");
        for (const token of [pair.refresh_token, ended.refresh_token]) {
          const answer = await send({ method: "POST", path: "/auth/refresh", headers: [bearer(token)] });
          refused(answer, 401, "session_unknown");
        }
        passed(await get("/me", bearer((await manager.createTokenPair("ada")).access_token)));
      });
    });

    it("takes expired tokens, and no forged ones", async () => {
      const manager = managerOf();
      await manager.revokeToken(forge(goodClaims({ exp: seconds() - 60 })));
      await expect(manager.revokeToken(forge(goodClaims(), undefined, "x".repeat(32)))).rejects.toMatchObject({
        code: "token_invalid",
      });
      const plain = managerOf({ requireJti: false });
      const { jti: _, ...claims } = goodClaims();
      await expect(plain.revokeToken(forge(claims))).rejects.toMatchObject({ code: "not_revocable" });
      await serving(harness, plain, routes, {}, async ({ get }) => passed(await get("/me", bearer(forge(claims)))));
    });

    it.each([
      ["throws", () => brokenStore(() => raise(new Error("down")))],
      ["rejects", () => brokenStore(() => Promise.reject(new Error("down")))],
      ["throws no error", () => brokenStore(() => raise(undefined))],
      ["never answers", () => brokenStore(hanging)],
      ["answers nonsense", () => brokenStore(() => "yes")],
      ["answers nothing", () => brokenStore(() => undefined)],
      ["answers a promise of nonsense", () => brokenStore(async () => 1)],
    ])("lets nobody in where the store %s", async (_name, store) => {
      const token = await managerOf().createTokenPair("ada");
      const manager = managerOf({ store: store(), storeTimeout: 0.05 });
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const path of ["/me", "/optional"]) {
          const answer = await get(path, bearer(token.access_token));
          refused(answer, 503, "store_unavailable");
          expect(Number(answer.header("retry-after")[0])).toBeGreaterThan(0);
        }
        passed(await get("/optional"), null);
        passed(await get("/unchecked", bearer(token.access_token)));
        refused(await get("/me", bearer("x")), 401, "token_invalid");
      });
      const down = { code: "store_unavailable", status: 503 };
      await expect(manager.createTokenPair("ada")).rejects.toMatchObject(down);
      await expect(manager.refreshTokenPair(token.refresh_token)).rejects.toMatchObject(down);
    });

    it("lets tokens pass unchecked where onStoreError says so, and denies all else", async () => {
      const { access_token, refresh_token } = await managerOf().createTokenPair("ada");
      for (const answer of [() => raise(new Error("down")), hanging, () => "nonsense"]) {
        const manager = managerOf({ store: brokenStore(answer), onStoreError: "allow", storeTimeout: 0.05 });
        await serving(harness, manager, routes, {}, async ({ get }) => passed(await get("/me", bearer(access_token))));
        const down = { code: "store_unavailable" };
        await expect(manager.createTokenPair("ada")).rejects.toMatchObject(down);
        await expect(manager.refreshTokenPair(refresh_token)).rejects.toMatchObject(down);
        await expect(manager.revokeSession("x")).rejects.toMatchObject(down);
      }
      const known = managerOf({ store: downStore(() => true), onStoreError: "allow" });
      await serving(harness, known, routes, {}, async ({ get }) => {
        refused(await get("/me", bearer(access_token)), 401, "token_revoked");
      });
    });

    it("drops an answer that comes late, and recovers", async () => {
      let delay = 200;
      const store = memoryStore();
      const late = new Promise<boolean>((resolve) => setTimeout(resolve, 200, false));
      const manager = managerOf({
        storeTimeout: 0.05,
        store: { ...store, isRevoked: (query: RevocationQuery) => (delay > 0 ? late : store.isRevoked(query)) },
      });
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        refused(await get("/me", bearer(token)), 503, "store_unavailable");
        delay = 0;
        passed(await get("/me", bearer(token)));
      });
    });

    it("asks the blocklist loader in addition to the store, never instead", async () => {
      let listed: unknown = false;
      let asked = 0;
      const tokenInBlocklist = (_header: unknown, claims: { jti: string }) => {
        asked++;
        if (listed instanceof Error) return listed.message === "late" ? Promise.reject(listed) : raise(listed);
        return claims.jti.length > 0 && (listed as boolean);
      };
      const manager = managerOf({ loaders: { tokenInBlocklist } });
      const [token, revoked] = [await manager.createAccessToken("ada"), await manager.createAccessToken("ada")];
      await manager.revokeToken(revoked);
      await serving(harness, manager, routes, {}, async ({ get }) => {
        passed(await get("/me", bearer(token)));
        refused(await get("/me", bearer(revoked)), 401, "token_revoked");
        expect(asked).toBe(1);
        for (const answer of [true, Promise.resolve(true)]) {
          listed = answer;
          refused(await get("/me", bearer(token)), 401, "token_revoked");
          passed(await get("/unchecked", bearer(token)));
        }
        for (const late of [false, true]) {
          listed = new Error(late ? "late" : "at once");
          const answer = await get("/me", bearer(token));
          refused(answer, 503, "store_unavailable");
          expect(answer.header("retry-after").length).toBe(1);
        }
      });
    });

    it("is nothing that a manager without a store can do", async () => {
      const manager = managerOf({ store: null });
      const pair = await manager.createTokenPair("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        const answer = await get("/me", bearer(pair.access_token));
        passed(answer);
        expect(answer.json()).toMatchObject({ session: null });
      });
      for (const attempt of [
        manager.revokeToken(pair.access_token),
        manager.revokeSession("x"),
        manager.revokeSubject("ada"),
      ]) {
        await expect(attempt).rejects.toMatchObject({ code: "store_required" });
      }
    });
  });
}

function raise(error: unknown): never {
  throw error;
}
