import { describe, expect, it } from "vitest";
import { passed, refused, who } from "../support/answers.ts";
import { claimsOf, forge, goodClaims } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

const START = 1_800_000_000_000;

/** Routes that ask for a recent login, by the claim and by the age of the login. */
export function feature(harness: Harness): void {
  const routes = [
    who(),
    who({ fresh: true }, "/fresh"),
    who({ fresh: "5m" }, "/recent"),
    who({ fresh: 300 }, "/seconds"),
    who({ fresh: true, verifyType: false }, "/any"),
  ];

  describe("freshness", () => {
    it("lets a fresh token pass, and a stale one not", async () => {
      const manager = managerOf();
      const fresh = await manager.createAccessToken("ada", { fresh: true });
      const stale = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const { path } of routes) passed(await get(path, bearer(fresh)));
        passed(await get("/me", bearer(stale)));
        for (const path of ["/fresh", "/any"]) {
          const answer = await get(path, bearer(stale));
          refused(answer, 401, "token_not_fresh");
          expect(answer.header("www-authenticate")).toEqual([
            'Bearer error="insufficient_user_authentication", max_age="0"',
          ]);
        }
        for (const path of ["/recent", "/seconds"]) {
          const answer = await get(path, bearer(stale));
          refused(answer, 401, "token_not_fresh");
          expect(answer.header("www-authenticate")).toEqual([
            'Bearer error="insufficient_user_authentication", max_age="300"',
          ]);
        }
      });
    });

    it("ends by the time in the token, exclusively, with leeway", async () => {
      for (const leeway of [0, 5]) {
        let now = START;
        const manager = managerOf({ leeway, clock: () => now });
        const token = await manager.createAccessToken("ada", { fresh: "1m" });
        await serving(harness, manager, routes, {}, async ({ get }) => {
          now = START + (60 + leeway) * 1000 - 1;
          passed(await get("/fresh", bearer(token)));
          now = START + (60 + leeway) * 1000;
          refused(await get("/fresh", bearer(token)), 401, "token_not_fresh");
          passed(await get("/me", bearer(token)));
        });
      }
    });

    it("ends by the age of the login where the route bounds it", async () => {
      let now = START;
      const manager = managerOf({ clock: () => now });
      const token = await manager.createAccessToken("ada", { fresh: true });
      expect(claimsOf(token)).toMatchObject({ fresh: true, auth_time: START / 1000 });
      await serving(harness, manager, routes, {}, async ({ get }) => {
        now = START + 305_000;
        for (const path of ["/fresh", "/recent", "/seconds"]) passed(await get(path, bearer(token)));
        now = START + 306_000;
        for (const path of ["/recent", "/seconds"]) refused(await get(path, bearer(token)), 401, "token_not_fresh");
        passed(await get("/fresh", bearer(token)));
      });
    });

    it("is lost by a refresh, and comes back with a login", async () => {
      const manager = managerOf();
      const login = await manager.createTokenPair("ada", { fresh: true });
      const renewed = await manager.refreshTokenPair(login.refresh_token);
      const again = await manager.createTokenPair("ada", { fresh: true });
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const path of ["/fresh", "/recent"]) {
          passed(await get(path, bearer(login.access_token)));
          refused(await get(path, bearer(renewed.access_token)), 401, "token_not_fresh");
          passed(await get(path, bearer(again.access_token)));
        }
        passed(await get("/me", bearer(renewed.access_token)));
      });
      const claims = claimsOf(renewed.access_token);
      expect(claims.auth_time).toBe(claimsOf(login.access_token).auth_time);
      expect(claims.fresh).toBe(false);
    });

    it("refuses claims that are neither true nor a time to come, without failing", async () => {
      await serving(harness, managerOf(), routes, {}, async ({ get }) => {
        for (const fresh of [null, "true", "99999999999", [], {}, [true], 0, -1, 1, false, undefined]) {
          for (const path of ["/fresh", "/recent"]) {
            refused(await get(path, bearer(forge(goodClaims({ fresh })))), 401, "token_not_fresh");
          }
        }
        for (const auth_time of [null, "now", {}, undefined]) {
          const token = forge(goodClaims({ fresh: true, auth_time }));
          refused(await get("/recent", bearer(token)), 401, "token_not_fresh");
          passed(await get("/fresh", bearer(token)));
        }
      });
    });
  });
}
