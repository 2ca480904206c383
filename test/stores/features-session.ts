import { expect, it } from "vitest";
import { passed, refused } from "../support/answers.ts";
import { ask, askToken } from "../support/asking.ts";
import type { Browser } from "../support/browser.ts";
import { claimsOf } from "../support/forge.ts";
import { bearer } from "../support/serve.ts";
import { alive, dead, type House, pairOf, withHouse, withTwoHouses } from "../support/store-house.ts";
import type { StoreKit } from "../support/store-kits.ts";

const COOKIES = ["__Host-access_token", "__Host-csrf_access", "__Host-csrf_refresh", "__Host-refresh_token"];

/** What a session gives and keeps: freshness, its user, its end, its cookies and their values. */
export function sessionFeatures(kit: StoreKit): void {
  it("no refresh makes a token fresh, a login does, and only for its time", async () => {
    await withHouse(kit, {}, async ({ manager, client, refresh }, clock) => {
      const first = await manager.createTokenPair("ada", { fresh: "5m" });
      passed(await client.get("/fresh", bearer(first.access_token)));
      const body = { refresh_token: first.refresh_token, fresh: true, claims: { fresh: true } };
      const json = pairOf(await client.postJson("/auth/refresh", JSON.stringify(body)));
      const renewed = pairOf(await refresh(json));
      for (const pair of [json, renewed]) {
        expect(claimsOf(pair.access_token).fresh).toBe(false);
        refused(await client.get("/fresh", bearer(pair.access_token)), 401, "token_not_fresh");
        passed(await client.get("/me", bearer(pair.access_token)));
      }
      clock.advance(299);
      passed(await client.get("/fresh", bearer(first.access_token)));
      clock.advance(7);
      refused(await client.get("/fresh", bearer(first.access_token)), 401, "token_not_fresh");
      const again = await manager.createTokenPair("ada", { fresh: true });
      passed(await client.get("/fresh", bearer(again.access_token)));
    });
  });

  it("a user who is gone is out at once, and one who changed the password everywhere", async () => {
    const users = new Set(["ada", "bob"]);
    const userLookup = (_header: unknown, { sub }: { sub: string }) => (users.has(sub) ? { name: sub } : null);
    await withTwoHouses(kit, { loaders: { userLookup } }, async (one, two, clock) => {
      const [ada, bob] = [await one.manager.createTokenPair("ada"), await one.manager.createTokenPair("bob")];
      const more = await one.manager.createTokenPair("bob");
      const single = await one.manager.createAccessToken("bob");
      passed(await two.me(ada));
      users.delete("ada");
      refused(await two.me(ada), 401, "user_not_found");
      refused(await two.refresh(ada), 401, "user_not_found");
      clock.advance(1);
      await one.manager.revokeSubject("bob");
      await dead(two, bob, more);
      refused(await two.me({ ...bob, access_token: single }), 401, "token_revoked");
      const after = await one.manager.createTokenPair("bob");
      passed(await two.me(after), "bob");
      pairOf(await two.refresh(after));
    });
  });

  it("a chain of refreshes stops at the absolute end, which no token outlives", async () => {
    const options = { maxRefreshLifetime: "30d", refreshTokenExpires: "7d", leeway: 0 };
    await withHouse(kit, options, async (house, clock) => {
      const end = clock() / 1000 + 30 * 86_400;
      let pair = await house.manager.createTokenPair("ada");
      let latest: { access_token: string; refresh_token: string } = pair;
      for (let day = 1; day < 30; day++) {
        clock.advance(86_400);
        pair = (await house.refresh(latest)).json() as typeof pair;
        latest = pair;
        expect(Number(claimsOf(pair.refresh_token).exp)).toBeLessThanOrEqual(end);
      }
      expect(claimsOf(pair.refresh_token).exp).toBe(end);
      clock.advance(86_340);
      const last = pairOf(await house.refresh(pair));
      expect([claimsOf(last.refresh_token).exp, claimsOf(last.access_token).exp]).toEqual([end, end]);
      clock.advance(60);
      for (const answer of [await house.refresh(last), await house.me(last)]) expect(answer.status).toBe(401);
      expect(await house.manager.listSessions("ada")).toEqual([]);
    });
  });

  it("two people's tokens in turn are never mixed, and what is revoked or expired fails at the next request", async () => {
    await withHouse(kit, { leeway: 0 }, async ({ manager }, clock) => {
      const tokens = {
        ada: (await manager.createTokenPair("ada")).access_token,
        bob: await manager.createAccessToken("bob", { expires: "10m" }),
        eve: (await manager.createTokenPair("eve")).access_token,
      };
      const check = async (times: number, wanted: Readonly<Record<string, number>>) => {
        for (let i = 0; i < times; i++) {
          for (const [name, token] of Object.entries(tokens)) {
            const { status, id } = await askToken(manager, token);
            if (status !== wanted[name] || id !== (status === 200 ? name : undefined))
              expect([name, status, id]).toBe(wanted);
          }
        }
      };
      await check(150, { ada: 200, bob: 200, eve: 200 });
      await manager.revokeSession(String(claimsOf(tokens.ada).sid));
      await check(100, { ada: 401, bob: 200, eve: 200 });
      clock.advance(600);
      await check(100, { ada: 401, bob: 401, eve: 200 });
    });
  });

  it("a login replaces every cookie that was planted before it", async () => {
    await withHouse(kit, {}, async ({ page, me, refresh, client }) => {
      const eve = await page("eve");
      const victim = await page("ada");
      for (const [name, value] of eve.jar) victim.jar.set(name, value);
      await victim.get("/login?who=ada");
      expect([...victim.jar.keys()].sort()).toEqual(COOKIES);
      for (const name of COOKIES) expect(victim.jar.get(name)).not.toBe(eve.jar.get(name));
      expect(claimsOf(victim.access).sid).not.toBe(claimsOf(eve.access).sid);
      passed(await victim.get("/me"));
      const tossed = await client.send({
        method: "POST",
        path: "/me",
        headers: [victim.line(), ["X-CSRF-TOKEN", eve.jar.get("__Host-csrf_access") ?? ""]],
      });
      refused(tossed, 403, "csrf_mismatch");
      expect((await eve.ask("POST", "/auth/logout")).status).toBe(204);
      const pair = { access_token: victim.access, refresh_token: victim.refresh };
      passed(await me(pair));
      pairOf(await refresh(pair));
    });
  });

  it("CSRF values are new at each login, and worth nothing after a logout", async () => {
    await withHouse(kit, {}, async (house) => {
      const old = await house.page();
      const value = String(old.jar.get("__Host-csrf_access"));
      const kept = new Map(old.jar);
      passed(await old.ask("POST", "/me"));
      expect((await old.ask("POST", "/auth/logout")).status).toBe(204);
      const fresh = await house.page();
      expect(fresh.jar.get("__Host-csrf_access")).not.toBe(value);
      refused(await withValue(house, fresh, value), 403, "csrf_mismatch");
      const again = await house.page();
      for (const [name, cookie] of kept) again.jar.set(name, cookie);
      refused(await again.ask("POST", "/me"), 401, "token_revoked");
      passed(await fresh.ask("POST", "/me"));
      expect((await fresh.ask("POST", "/auth/refresh", "refresh")).status).toBe(200);
      passed(await fresh.ask("POST", "/me"));
    });
  });

  it("optional guards take nobody for a guest who came with a token that is revoked", async () => {
    await withHouse(kit, {}, async (house) => {
      const pair = await house.manager.createTokenPair("ada");
      const headers = [bearer(pair.access_token)];
      expect(await ask(house.manager, { headers }, { optional: true })).toMatchObject({ status: 200, id: "ada" });
      await house.manager.revokeSession(String(claimsOf(pair.access_token).sid));
      expect(await ask(house.manager, { headers }, { optional: true })).toMatchObject({ status: 401 });
      expect(await ask(house.manager, {}, { optional: true })).toMatchObject({ status: 200, id: null });
      await alive(house, await house.manager.createTokenPair("ada"));
    });
  });
}

const withValue = ({ client }: House, page: Browser, value: string) =>
  client.send({ method: "POST", path: "/me", headers: [page.line(), ["X-CSRF-TOKEN", value]] });
