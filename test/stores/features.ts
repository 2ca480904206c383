import { afterAll, beforeAll, describe } from "vitest";
import { available } from "../support/require.ts";
import type { StoreKit } from "../support/store-kits.ts";
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
    describe("trouble", () => troubleFeatures(kit));
  });
}
