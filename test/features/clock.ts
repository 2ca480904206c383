import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { passed, refused } from "../support/answers.ts";
import { claimsOf, forge, goodClaims } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { storeOver } from "../support/serve.ts";
import { alive, dead, type House, inHouse, type Pair, pairOf } from "../support/store-house.ts";

const sidOf = ({ access_token }: Pair): string => String(claimsOf(access_token).sid);

/** Clocks that jump: that of a process, and that of its store. */
export function feature(harness: Harness): void {
  const make = () => {
    const clock = fakeClock();
    const store = storeOver(clock);
    clock.advance(60);
    return { clock, store };
  };

  describe("clocks", () => {
    it("of a process that jump crash nothing, and revive nothing that is over", async () => {
      const { clock, store } = make();
      let skew = 0;
      const told = () => clock() + skew;
      const options = { grace: 0 };
      const body = async (house: House) => {
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
      };
      await inHouse(store, told, options, body, harness);
    });

    it("of a store that move back forget nothing that was taken away", async () => {
      const { clock, store } = make();
      const body = async (house: House) => {
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
      };
      await inHouse(store, clock, { grace: 0, leeway: 300 }, body, harness);
    });

    it("of two processes may differ by the leeway, and by no second more", async () => {
      const { clock, store } = make();
      const body = async ({ me }: House) => {
        const ahead = (seconds: number) => {
          const iat = Math.floor(clock() / 1000) + seconds;
          return { access_token: forge(goodClaims({ iat, exp: iat + 600 })), refresh_token: "" };
        };
        passed(await me(ahead(5)));
        refused(await me(ahead(6)), 401, "token_not_yet_valid");
      };
      await inHouse(store, clock, { leeway: 5 }, body, harness);
    });
  });
}
