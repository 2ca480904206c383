import fc from "fast-check";
import { fakeClock } from "jwt-extended/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import { available } from "../support/require.ts";
import { live, steps } from "../support/rotation-model.ts";
import { memoryKit, postgresKit, redisKit, type StoreKit, sqliteKit } from "../support/store-kits.ts";

const KITS: readonly (readonly [kit: StoreKit, runs: number])[] = [
  [memoryKit, 100],
  [sqliteKit(), 15],
  [postgresKit(), 15],
  [redisKit(), 15],
];

for (const [kit, numRuns] of KITS) {
  const isMissing = kit.needs !== undefined && !available(kit.needs.what, kit.needs.present);
  describe.skipIf(isMissing)(`rotation over ${kit.name}`, () => {
    beforeAll(() => kit.begin(), 60_000);
    afterAll(() => kit.end());

    it("agrees with the pure function at every step, in two processes", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 25 }), async (script) => {
          const clock = fakeClock();
          const given = await kit.make(clock);
          clock.advance(60);
          await live([given.store, given.other()], clock, script);
        }),
        { numRuns, endOnFailure: true },
      );
    }, 60_000);
  });
}
