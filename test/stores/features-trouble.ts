import { expect, it } from "vitest";
import { passed, refused } from "../support/answers.ts";
import { claimsOf } from "../support/forge.ts";
import type { Answer } from "../support/http.ts";
import { alive, dead, type Pair, withHouse, withTwoHouses } from "../support/store-house.ts";
import type { StoreKit, Trouble } from "../support/store-kits.ts";

const sidOf = ({ access_token }: Pair): string => String(claimsOf(access_token).sid);
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Stores that fail or forget. */
export function troubleFeatures(kit: StoreKit): void {
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

  it.each(kit.troubles)(
    "a store that is %s is 503 and never lets anybody in, and comes back by itself",
    async (what) => {
      const stray: unknown[] = [];
      const note = (error: unknown): number => stray.push(error);
      process.on("unhandledRejection", note);
      await withHouse(kit, { storeTimeout: 1 }, async (house, clock, given) => {
        const { manager, me, refresh, logout } = house;
        const trouble = given.troubles[what] as Trouble;
        const login = () => manager.createTokenPair("ada");
        const [pair, spent, out, gone] = [await login(), await login(), await login(), await login()];
        await manager.revokeSession(sidOf(gone));
        // What is asked in the meantime may still be done afterwards: so others do it.
        const [page] = [await house.page("eve"), await house.page("eve")];
        const jar = new Map(page.jar);
        await trouble.begin();
        try {
          const since = performance.now();
          for (let round = 0; round < 2; round++) {
            const checks = await Promise.all([me(pair), me(gone)]);
            for (const [at, answer] of checks.entries()) {
              if (trouble.leaves === undefined) unavailable(answer);
              else expect(answer.status).toBe(at === 0 ? 200 : 401);
            }
          }
          const byCookie = ["/auth/logout", "/auth/refresh", "/auth/logout-all", "/auth/logout-others"];
          const asked = [refresh(spent), refresh(gone), logout(gone.access_token), logout(out.access_token)];
          for (const path of byCookie)
            asked.push(page.ask("POST", path, path === "/auth/refresh" ? "refresh" : "access"));
          for (const answer of await Promise.all(asked)) {
            if (trouble.leaves !== "some" || answer.status >= 500) unavailable(answer);
          }
          expect(performance.now() - since).toBeLessThan(10_000);
          if (trouble.leaves !== "some") expect(page.jar).toEqual(jar);
          const failed = expect(manager.createTokenPair("p".repeat(9_000))).rejects;
          await failed.toMatchObject({ code: "store_unavailable" });
          expect((await me({ ...pair, access_token: "x.y.z" })).status).toBe(401);
          if (trouble.leaves === "some" && (await logout(out.access_token)).status === 204)
            refused(await me(out), 401, "token_revoked");
        } finally {
          await trouble.end();
        }
        clock.advance(1);
        await expect.poll(() => login().catch(() => undefined), { timeout: 8_000 }).toBeTruthy();
        await dead(house, gone);
        if (trouble.forgets) await dead(house, pair);
        else await alive(house, pair);
        await alive(house, await login());
      });
      process.off("unhandledRejection", note);
      expect(stray).toEqual([]);
    },
  );
}

function unavailable(answer: Answer): void {
  refused(answer, 503, "store_unavailable");
  expect(Number(answer.header("retry-after")[0])).toBeGreaterThan(0);
}
