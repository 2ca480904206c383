import { expect, it } from "vitest";
import { passed, refused } from "../support/answers.ts";
import { askToken } from "../support/asking.ts";
import { claimsOf } from "../support/forge.ts";
import { dead, pairOf, withHouse, withTwoHouses } from "../support/store-house.ts";
import { memoryKit, type StoreKit } from "../support/store-kits.ts";

/** Whom a session lets in, over two servers and for long. */
export function sessionFeatures(kit: StoreKit): void {
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
      const times = kit === memoryKit ? 4_000 : 100;
      await check(times, { ada: 200, bob: 200, eve: 200 });
      await manager.revokeSession(String(claimsOf(tokens.ada).sid));
      await check(times, { ada: 401, bob: 200, eve: 200 });
      clock.advance(600);
      await check(times, { ada: 401, bob: 401, eve: 200 });
    });
  });
}
