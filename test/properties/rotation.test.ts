import fc from "fast-check";
import { JWTManager, memoryStore } from "jwt-extended";
import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { codeOf } from "../support/asking.ts";
import { claimsOf } from "../support/forge.ts";
import { SECRET } from "../support/serve.ts";

const GRACE = 10;

/** A manager on a memory store, and what it tells of theft. */
function make() {
  const clock = fakeClock(1_800_000_000_000);
  const store = memoryStore({ clock });
  clock.advance(60);
  const manager = new JWTManager({ secretKey: SECRET, clock, store, grace: GRACE, leeway: 0, warn: () => {} });
  const told: string[] = [];
  for (const name of ["reused", "suspicious"] as const) manager.on(name, () => told.push(name));
  return { clock, manager, told };
}

describe("rotation, where a client asks from several tabs", () => {
  it("gives tabs that ask in the same moment one successor", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 0, max: 3 }), async (tabs, before) => {
        const { manager, told } = make();
        let { refresh_token } = await manager.createTokenPair("ada");
        for (let i = 0; i < before; i++) ({ refresh_token } = await manager.refreshTokenPair(refresh_token));
        const pairs = await Promise.all(Array.from({ length: tabs }, () => manager.refreshTokenPair(refresh_token)));
        expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1);
        expect(new Set(pairs.map((pair) => pair.access_token)).size).toBe(tabs);
        expect(told).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe("rotation, where somebody has a copy", () => {
  it("ends the session as soon as both have come, later than the grace, whoever came first", async () => {
    const wait = fc.integer({ min: GRACE + 1, max: 80_000 });
    const moves = fc.array(fc.record({ thief: fc.boolean(), wait }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 4 }), moves, async (before, script) => {
        const { clock, manager, told } = make();
        let pair = await manager.createTokenPair("ada");
        for (let i = 0; i < before; i++) pair = await manager.refreshTokenPair(pair.refresh_token);
        const held = { thief: pair.refresh_token, honest: pair.refresh_token };
        const came = new Set<string>();
        let lastAccess = pair.access_token;
        for (const move of script) {
          clock.advance(move.wait);
          const who = move.thief ? "thief" : "honest";
          came.add(who);
          if (came.size === 2) break;
          const next = await manager.refreshTokenPair(held[who]);
          held[who] = next.refresh_token;
          lastAccess = next.access_token;
        }
        fc.pre(came.size === 2);
        const second = [...came][1] as "thief" | "honest";
        expect(await codeOf(() => manager.refreshTokenPair(held[second]))).toBe("token_reused");
        for (const token of [held.thief, held.honest])
          expect(await codeOf(() => manager.refreshTokenPair(token))).toBe("session_ended");
        expect(await manager.getSession(String(claimsOf(lastAccess).sid))).toBeUndefined();
        expect(told).toEqual(["reused"]);
      }),
      { numRuns: 200 },
    );
  });
});
