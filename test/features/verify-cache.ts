import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { passed, who } from "../support/answers.ts";
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

    it("judges a token that is known for long by the rules of each route", async () => {
      const manager = managerOf({ tokenLocation: ["headers", "query_string", "cookies"], cookieCsrfProtect: false });
      const routes = [
        who({ locations: "headers" }),
        who({ locations: ["headers", "cookies"], roles: "admin" }, "/admin"),
        who({ locations: ["cookies", "headers"], scopes: "read" }, "/scoped"),
        who({ locations: "headers", fresh: true }, "/fresh"),
        who({ locations: "headers", refresh: true }, "/refresh"),
        who({ locations: ["headers", "query_string"], optional: true }, "/both"),
      ];
      const claims = { roles: ["admin"], scope: "read" };
      const pair = await manager.createTokenPair("ada");
      const [ada, bob] = [pair.access_token, await manager.createAccessToken("bob", { claims, fresh: true })];
      const wanted: readonly (readonly [string, string, number, string?])[] = [
        ["/me", ada, 200, "ada"],
        ["/me", bob, 200, "bob"],
        ["/me", pair.refresh_token, 401],
        ["/admin", ada, 403],
        ["/admin", bob, 200, "bob"],
        ["/scoped", ada, 403],
        ["/scoped", bob, 200, "bob"],
        ["/fresh", ada, 401],
        ["/fresh", bob, 200, "bob"],
        ["/refresh", ada, 401],
        ["/refresh", pair.refresh_token, 200, "ada"],
        ["/both", ada, 200, "ada"],
        [`/both?jwt=${bob}`, ada, 400],
      ];
      const odd: readonly (readonly [string, number])[] = [
        [`bearer ${bob}`, 200],
        [`Bearer  ${bob} `, 200],
        [`Basic ${bob}`, 401],
        [`X${bob}`, 401],
        [`Bearer ${bob},`, 400],
        [`Bearer ${ada} ${bob}`, 400],
      ];
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (let round = 0; round < 5; round++) {
          for (const [path, token, status, id] of wanted) {
            const answer = await get(path, bearer(token));
            const { id: seen } = answer.json() as { id?: string };
            expect([round, path, answer.status, seen]).toEqual([round, path, status, id]);
          }
          const inCookie = await get("/admin", ["Cookie", `__Host-access_token=${bob}`]);
          expect([inCookie.status, inCookie.json()]).toMatchObject([200, { id: "bob", location: "cookies" }]);
          for (const [line, status] of odd) {
            expect([line, (await get("/me", ["Authorization", line])).status]).toEqual([line, status]);
          }
          passed(await get("/me", bearer(bob)), "bob");
          const twice = await get("/me", bearer(bob), bearer(bob));
          expect(twice.status).toBe(400);
        }
      });
    });

    it("hears of every kind of revocation at the next request", async () => {
      const clock = fakeClock();
      const manager = managerOf({ clock });
      clock.advance(10);
      const login = () => manager.createTokenPair("ada");
      const steps: readonly ((token: string) => Promise<unknown>)[] = [
        (token) => manager.revokeToken(token),
        (token) => manager.revokeSession(String(claimsOf(token).sid)),
        () => manager.revokeSubject("ada"),
        () => manager.revokeEverything(),
      ];
      await serving(harness, manager, [who()], {}, async ({ get }) => {
        for (const revoke of steps) {
          const { access_token: token } = await login();
          const other = await manager.createTokenPair("bob");
          const status = async () => (await get("/me", bearer(token))).status;
          for (let known = 0; known < 5; known++) expect(await status()).toBe(200);
          await manager.revokeToken(other.access_token);
          expect(await status()).toBe(200);
          await revoke(token);
          for (let known = 0; known < 3; known++) expect(await status()).toBe(401);
        }
      });
    });
  });
}
