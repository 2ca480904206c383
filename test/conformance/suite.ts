import { describe, expect, it } from "vitest";
import { harnesses } from "../support/harness/index.ts";
import type { AdapterName } from "../support/harness/types.ts";
import { readCorpus } from "./format.ts";
import { runScenarios } from "./runner.ts";

/** Declares the corpus for one adapter: one test per group. */
export function conformanceSuite(adapter: AdapterName): void {
  const { groups, key } = readCorpus();
  describe(`conformance: ${adapter}`, () => {
    it.each(groups)("$group", { timeout: 120_000 }, async ({ scenarios }) => {
      const outcomes = await runScenarios(scenarios, harnesses[adapter], key);
      expect(outcomes).toHaveLength(scenarios.length);
      expect(outcomes.filter(({ faults }) => faults.length > 0)).toEqual([]);
    });
  });
}
