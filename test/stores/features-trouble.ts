import { expect, it } from "vitest";
import { refreshTokenId } from "../../src/sessions/secrets.ts";
import { passed, refused } from "../support/answers.ts";
import { askToken } from "../support/asking.ts";
import { claimsOf, forge } from "../support/forge.ts";
import { bearer } from "../support/serve.ts";
import {
  alive,
  dead,
  freshStore,
  inHouse,
  type Pair,
  pairOf,
  withHouse,
  withTwoHouses,
} from "../support/store-house.ts";
import type { StoreKit } from "../support/store-kits.ts";

const ODD = [
  "' OR 1=1 --",
  '"; DROP TABLE jx_sessions; --',
  "a\\",
  "%",
  "_",
  "a\u0000b",
  "a'\\\"`$1?:x",
  "\u{1f600}",
  "*",
];
const sidOf = ({ access_token }: Pair): string => String(claimsOf(access_token).sid);
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Names that mean something to a database, stores that fail or forget, and clocks that jump. */
export function troubleFeatures(kit: StoreKit): void {
  it("odd subjects are names like any other, and reach nobody else", async () => {
    await withTwoHouses(kit, {}, async (one, two, clock) => {
      let ada: Pair = await one.manager.createTokenPair("ada");
      const pairs = await Promise.all(ODD.map((subject) => one.manager.createTokenPair(subject)));
      for (const [at, subject] of ODD.entries()) {
        const pair = pairs[at] as Pair;
        passed(await two.me(pair), subject);
        const next = pairOf(await two.refresh(pair));
        const listed = await two.manager.listSessions(subject);
        expect(listed.map(({ sessionId }) => sessionId)).toEqual([sidOf(pair)]);
        clock.advance(0.001);
        await one.manager.revokeSubject(subject);
        await dead(two, next);
        for (const other of pairs.slice(at + 1, at + 3)) expect((await two.me(other)).status).toBe(200);
      }
      ada = await alive(two, ada);
      expect((await two.manager.listSessions("ada")).length).toBe(1);
    });
  });

  it("odd ids of tokens, sessions and keys match nothing but themselves", async () => {
    await withHouse(kit, {}, async ({ manager, me, refresh, client }, clock, { store }) => {
      const pair = await manager.createTokenPair("ada");
      const { sid, gen: _, ...access } = claimsOf(await manager.createAccessToken("ada"));
      const known = claimsOf(pair.refresh_token);
      const until = clock() + 3_600_000;
      for (const odd of ODD) {
        const byId = { ...pair, access_token: forge({ ...access, jti: odd }) };
        passed(await me(byId));
        await manager.revokeToken(byId.access_token);
        refused(await me(byId), 401, "token_revoked");

        const ofSession = { ...pair, access_token: forge({ ...access, jti: "some", sid: odd }) };
        refused(await me(ofSession), 401, "token_revoked");
        const claims = { ...known, sid: odd, jti: refreshTokenId(odd, 0) };
        expect((await refresh({ ...pair, refresh_token: forge(claims) })).status).toBe(401);
        const path = `/auth/sessions/${encodeURIComponent(odd)}`;
        const gone = await client.send({ method: "DELETE", path, headers: [bearer(pair.access_token)] });
        expect([odd, gone.status]).toEqual([odd, 404]);
        await manager.revokeSession(odd);

        const byKey = forge({ ...access, jti: "other" }, { alg: "HS256", typ: "JWT", kid: odd });
        expect([200, 401]).toContain((await askToken(manager, byKey)).status);
        await store.revoke({ kind: "key", kid: odd, until });
        expect((await askToken(manager, byKey)).status).toBe(401);
        passed(await me({ ...pair, access_token: forge({ ...access, jti: `${odd}.` }) }));
        passed(await me(pair));
      }
      expect(sid).toBeUndefined();
      pairOf(await refresh(pair));
      expect((await manager.listSessions("ada")).length).toBe(1);
    });
  });

  it("a store that lost everything lets nobody in with an older token", async () => {
    await withTwoHouses(kit, {}, async (one, two, clock, given) => {
      const pairs: Pair[] = [await one.manager.createTokenPair("ada"), await two.manager.createTokenPair("bob")];
      const loose = { ...(pairs[0] as Pair), access_token: await one.manager.createAccessToken("ada") };
      passed(await two.me(loose));
      pairs.push(await alive(two, pairs[0] as Pair));
      clock.advance(5);
      await given.empty();
      clock.advance(5);
      await later(5);
      for (const house of [one, two]) {
        await dead(house, ...pairs);
        refused(await house.me(loose), 401, "token_revoked");
      }
      const fresh = await one.manager.createTokenPair("ada");
      await dead(two, ...pairs);
      await alive(two, fresh);
    });
  });

  it("a store that is away is 503 and never lets anybody in, and comes back by itself", async () => {
    const stray: unknown[] = [];
    const note = (error: unknown): number => stray.push(error);
    process.on("unhandledRejection", note);
    await withHouse(kit, { storeTimeout: 1 }, async (house, clock, given) => {
      const { manager, me, refresh, logout } = house;
      const [pair, gone] = [await manager.createTokenPair("ada"), await manager.createTokenPair("ada")];
      await manager.revokeSession(sidOf(gone));
      // What is asked while the store is away may still be done when it is back: so somebody else logs out.
      const page = await house.page("eve");
      const jar = new Map(page.jar);
      await given.stop();
      try {
        const since = performance.now();
        const asked = [me(pair), me(gone), refresh(pair), refresh(gone), logout(gone.access_token)];
        const byCookie = ["/auth/logout", "/auth/refresh", "/auth/logout-all", "/auth/logout-others"];
        for (const path of byCookie)
          asked.push(page.ask("POST", path, path === "/auth/refresh" ? "refresh" : "access"));
        for (const answer of await Promise.all(asked)) {
          refused(answer, 503, "store_unavailable");
          expect(Number(answer.header("retry-after")[0])).toBeGreaterThan(0);
        }
        expect(performance.now() - since).toBeLessThan(10_000);
        expect(page.jar).toEqual(jar);
        await expect(manager.createTokenPair("ada")).rejects.toMatchObject({ code: "store_unavailable" });
        expect((await me({ ...pair, access_token: "x.y.z" })).status).toBe(401);
      } finally {
        await given.start();
      }
      clock.advance(1);
      await expect.poll(() => me(pair).then(({ status }) => status), { timeout: 8_000 }).toBe(200);
      await dead(house, gone);
      await alive(house, pair);
    });
    process.off("unhandledRejection", note);
    expect(stray).toEqual([]);
  });

  it("a clock that jumps crashes nothing, and revives nothing that is over", async () => {
    const { clock, given } = await freshStore(kit);
    let skew = 0;
    const told = () => clock() + skew;
    await inHouse(given.store, told, { grace: 0 }, async (house) => {
      const { manager, me, refresh } = house;
      const live = await manager.createTokenPair("ada");
      const out = await manager.createTokenPair("ada");
      await manager.revokeSession(sidOf(out));
      const one = { ...live, access_token: await manager.createAccessToken("ada") };
      await manager.revokeToken(one.access_token);
      const stolen = await manager.createTokenPair("ada");
      const next = pairOf(await refresh(stolen));
      refused(await refresh(stolen), 401, "token_reused");
      const bob = await manager.createTokenPair("bob");
      await manager.revokeSubject("bob");
      clock.advance(1);
      for (const seconds of [3600, 0, -3600, 315_360_000, Number.NaN, Number.POSITIVE_INFINITY, -clock() / 1000, 0]) {
        skew = seconds * 1000;
        // A clock that gives no time lets nobody in, and is the application's mistake.
        const shut = Number.isFinite(skew) ? 401 : 500;
        for (const pair of [out, stolen, next, bob]) {
          expect([seconds, (await me(pair)).status]).toEqual([seconds, shut]);
          expect([seconds, (await refresh(pair)).status]).toEqual([seconds, shut]);
        }
        expect([seconds, (await me(one)).status]).toEqual([seconds, shut]);
        const { status } = await me(live);
        expect([seconds, status]).toEqual([seconds, skew === 0 ? 200 : shut]);
        await manager.purge();
      }
      await dead(house, out, stolen, next, bob);
      await alive(house, live);
    });
  });

  it("a store whose clock moves back forgets nothing that was taken away", async () => {
    await withHouse(kit, { grace: 0, leeway: 300 }, async (house, clock) => {
      const { manager, refresh } = house;
      const pairs: Pair[] = [await manager.createTokenPair("ada"), await manager.createTokenPair("bob")];
      await manager.revokeSession(sidOf(pairs[0] as Pair));
      clock.advance(-30);
      await manager.revokeSubject("bob");
      const stolen = await manager.createTokenPair("eve");
      pairs.push(stolen, pairOf(await refresh(stolen)));
      clock.advance(-30);
      refused(await refresh(stolen), 401, "token_reused");
      await manager.purge();
      await dead(house, ...pairs);
      for (const seconds of [60, 3600, -3600]) {
        clock.advance(seconds);
        await manager.purge();
        for (const pair of pairs) expect((await house.me(pair)).status).toBe(401);
        for (const pair of pairs) expect((await refresh(pair)).status).toBe(401);
      }
    });
  });
}
