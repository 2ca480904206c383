import { afterAll, beforeAll, describe } from "vitest";
import { features } from "../features/index.ts";
import { expressHarness } from "../support/harness/express.ts";
import { available } from "../support/require.ts";
import { storeOfManagers } from "../support/serve.ts";
import { storeToCome } from "../support/store-house.ts";
import { memoryKit, type StoreKit } from "../support/store-kits.ts";
import { dpopFeatures } from "./features-dpop.ts";
import { rotationFeatures } from "./features-rotation.ts";
import { sessionFeatures } from "./features-session.ts";
import { troubleFeatures } from "./features-trouble.ts";

/** What a server promises, over a store of this kind. */
export function storeFeatures(kit: StoreKit): void {
  const isMissing = kit.needs !== undefined && !available(kit.needs.what, kit.needs.present);
  describe.skipIf(isMissing)(`a server over ${kit.name}`, () => {
    beforeAll(() => kit.begin(), 60_000);
    afterAll(() => kit.end());
    describe("rotation", () => rotationFeatures(kit));
    describe("sessions", () => sessionFeatures(kit));
    describe("DPoP", () => dpopFeatures(kit));
    describe("trouble", () => troubleFeatures(kit));
    // Over memory they run through every adapter.
    if (kit === memoryKit) return;
    describe("features", () => {
      beforeAll(() => storeOfManagers((clock) => storeToCome(kit, clock)));
      afterAll(() => storeOfManagers(undefined));
      features(expressHarness);
    });
  });
}
