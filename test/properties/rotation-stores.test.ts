import fc from "fast-check";
import { fakeClock } from "jwt-extended/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import { available } from "../support/require.ts";
import { live, steps } from "../support/rotation-model.ts";
import { memoryKit, mysqlKit, postgresKit, redisKit, type StoreKit, sqliteKit } from "../support/store-kits.ts";

const KITS: readonly (readonly [kit: StoreKit, runs: number])[] = [
  [memoryKit, 300],
  [sqliteKit(), 40],
  [postgresKit(), 25],
  [mysqlKit(), 25],
  [redisKit(), 100],
];

for (const [kit, numRuns] of KITS) {
  const isMissing = kit.needs !== undefined && !available(kit.needs.what, kit.needs.present);
  describe.skipIf(isMissing)(`rotation over ${kit.name}`, () => {
    beforeAll(() => kit.begin(), 60_000);
    afterAll(() => kit.end());

    it("agrees with the pure function at every step, in two processes, and never tells an honest client of theft", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 25 }), async (script) => {
          const clock = fakeClock();
          const given = await kit.make(clock);
          clock.advance(60);
          await live(kit, given, clock, script);
        }),
        { numRuns, interruptAfterTimeLimit: 150_000, markInterruptAsFailure: true },
      );
    }, 180_000);
  });
}
