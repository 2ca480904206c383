import { expect, it } from "vitest";
import { refused } from "../support/answers.ts";
import { claimsOf, forge } from "../support/forge.ts";
import { alive, dead, pairOf, withTwoHouses } from "../support/store-house.ts";
import type { StoreKit } from "../support/store-kits.ts";

const AT_ONCE = Array.from({ length: 50 }, (_, at) => at);

/** What becomes of refresh tokens that come twice, and of sessions that are over. */
export function rotationFeatures(kit: StoreKit): void {
  it("a token that comes again ends its session, and no other", async () => {
    await withTwoHouses(kit, { grace: 0 }, async (one, two, clock) => {
      const { manager } = one;
      const [first, other] = [await manager.createTokenPair("ada"), await manager.createTokenPair("ada")];
      const second = pairOf(await one.refresh(first));
      clock.advance(1);
      refused(await two.refresh(first), 401, "token_reused");
      await dead(one, first, second);
      await dead(two, second, first);
      await alive(two, other);
    });
  });

  it("fifty at once, over two servers, get one successor", async () => {
    await withTwoHouses(kit, { grace: 10 }, async (one, two) => {
      for (let round = 0; round < 5; round++) {
        const first = await one.manager.createTokenPair("ada");
        const asked = AT_ONCE.map((at) => (at % 2 ? one : two).refresh(first));
        const pairs = (await Promise.all(asked)).map(pairOf);
        const names = pairs.map(({ refresh_token }) => {
          const { sid, gen, jti, sub, iat, exp } = claimsOf(refresh_token);
          return JSON.stringify([sid, gen, jti, sub, iat, exp]);
        });
        expect(new Set(names).size).toBe(1);
        expect(claimsOf((await alive(two, pairs[7] ?? first)).refresh_token).gen).toBe(2);
      }
    });
  });

  it("fifty at once without a grace: at most one wins, and then nothing lives", async () => {
    await withTwoHouses(kit, { grace: 0 }, async (one, two) => {
      const first = await one.manager.createTokenPair("ada");
      const answers = await Promise.all(AT_ONCE.map((at) => (at % 2 ? one : two).refresh(first)));
      const won = answers.filter(({ status }) => status === 200).map(pairOf);
      expect(won.length).toBe(1);
      for (const answer of answers) if (answer.status !== 200) expect(answer.status).toBe(401);
      await dead(two, first, ...won);
    });
  });

  it("nothing lives after a race with a token that was spent", async () => {
    await withTwoHouses(kit, { grace: 0 }, async (one, two, clock) => {
      for (let round = 0; round < 4; round++) {
        const first = await one.manager.createTokenPair("ada");
        const second = pairOf(await one.refresh(first));
        clock.advance(1);
        const asked = round % 2 ? [one.refresh(first), two.refresh(second)] : [one.refresh(second), two.refresh(first)];
        const won = (await Promise.all(asked)).filter(({ status }) => status === 200).map(pairOf);
        await dead(two, first, second, ...won);
      }
    });
  });

  it("a session that ended is never revived", async () => {
    await withTwoHouses(kit, { grace: 0 }, async (one, two, clock) => {
      const first = await one.manager.createTokenPair("ada");
      const second = pairOf(await one.refresh(first));
      const third = pairOf(await one.refresh(second));
      clock.advance(1);
      refused(await two.refresh(first), 401, "token_reused");
      await dead(one, third, second, first);
      await dead(two, first, third);
      const claims = claimsOf(third.refresh_token);
      const live = claimsOf((await one.manager.createTokenPair("ada")).refresh_token);
      const named = (change: object) => ({ access_token: "", refresh_token: forge({ ...claims, ...change }) });
      for (const change of [{ jti: "another" }, { gen: 7 }, { jti: live.jti }, { sid: live.sid }, { gen: "3" }])
        refused(await two.refresh(named(change)), 401, "token_claim");
      refused(await one.refresh(named({ sub: "bob" })), 401, "session_unknown");
      await dead(one, third);
    });
  });

  it("a logout by any token ends its own session, twice alike, and nobody else's", async () => {
    await withTwoHouses(kit, {}, async (one, two, clock) => {
      const eve = await one.manager.createTokenPair("eve");
      for (const what of ["access", "refresh", "expired"]) {
        const [pair, other] = [await one.manager.createTokenPair("ada"), await one.manager.createTokenPair("ada")];
        const token = what === "refresh" ? pair.refresh_token : pair.access_token;
        if (what === "expired") clock.advance(3600);
        for (const house of [one, two]) {
          const answer = await house.logout(token);
          expect([what, answer.status, answer.text, answer.setCookies.length]).toEqual([what, 204, "", 4]);
        }
        expect((await two.me(pair)).status).toBe(401);
        expect((await two.refresh(pair)).text).toMatch(/"code":"session_(ended|unknown)"/);
        pairOf(await two.refresh(other));
      }
      pairOf(await two.refresh(eve));
    });
  });

  it("a logout that races refreshes leaves no token that works", async () => {
    await withTwoHouses(kit, {}, async (one, two) => {
      for (let round = 0; round < 5; round++) {
        const first = await one.manager.createTokenPair("ada");
        const leaving = AT_ONCE.map((at) => (at === round * 11 ? two.logout(first.access_token) : undefined));
        const answers = await Promise.all(leaving.map((logout, at) => logout ?? (at % 2 ? one : two).refresh(first)));
        const won = answers.filter(({ status }) => status === 200).map(pairOf);
        expect(answers.every(({ status }) => [200, 204, 401].includes(status))).toBe(true);
        await dead(one, first, ...won.slice(0, 3), ...won.slice(-3));
        await dead(two, ...won.slice(-1));
      }
    });
  });
}
