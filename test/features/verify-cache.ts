import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { who } from "../support/answers.ts";
import { claimsOf } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

/** Tokens that come again and again are remembered as verified, and never as anybody else's or as live. */
export function feature(harness: Harness): void {
  describe("the cache of verified tokens", () => {
    it("never mixes people, and lets nothing pass that was revoked or has expired since", async () => {
      const clock = fakeClock();
      const manager = managerOf({ clock, leeway: 0 });
      clock.advance(10);
      const ada = await manager.createTokenPair("ada");
      const tokens: Readonly<Record<string, string>> = {
        ada: ada.access_token,
        bob: await manager.createAccessToken("bob", { expires: "10m" }),
        eve: (await manager.createTokenPair("eve")).access_token,
      };
      await serving(harness, manager, [who()], {}, async ({ get }) => {
        const check = async (times: number, wanted: Readonly<Record<string, number>>): Promise<void> => {
          for (let done = 0; done < times; done += 20) {
            const names = Array.from({ length: 20 }, () => Object.keys(tokens)).flat();
            const answers = await Promise.all(names.map((name) => get("/me", bearer(tokens[name] ?? ""))));
            for (const [at, answer] of answers.entries()) {
              const name = names[at] ?? "";
              const { id } = answer.json() as { id?: string };
              const seen = [name, answer.status, id];
              expect(seen).toEqual([name, wanted[name], wanted[name] === 200 ? name : undefined]);
            }
          }
        };
        await check(100, { ada: 200, bob: 200, eve: 200 });
        await manager.revokeSession(String(claimsOf(tokens.ada ?? "").sid));
        await check(40, { ada: 401, bob: 200, eve: 200 });
        clock.advance(600);
        await check(40, { ada: 401, bob: 401, eve: 200 });
      });
    });
  });
}
