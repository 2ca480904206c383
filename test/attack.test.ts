import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type AttackResult, isFailure, isWrong, readCorpus, runCorpus } from "../scripts/attack.ts";

const own = fileURLToPath(new URL("./attack/", import.meta.url));
const shared = fileURLToPath(new URL("../../shared/attack/", import.meta.url));

/** Valid tokens that are refused on purpose. `docs/attack-corpus.md` explains each. */
const REFUSED_ON_PURPOSE = ["size.depth-2000"];

const name = ({ test, outcome, foreign, slow }: AttackResult): string =>
  `${test.level} ${test.id}: ${outcome}${foreign ? `, ${foreign}` : ""}${slow ? ", too slow" : ""}`;

function judge(results: readonly AttackResult[]): void {
  expect(results.filter(isFailure).map(name)).toEqual([]);
  const surprises = results.filter((result) => isWrong(result) && !REFUSED_ON_PURPOSE.includes(result.test.id));
  expect(surprises.map(name)).toEqual([]);
}

describe("the attack corpus", () => {
  test("is judged right", async () => {
    const results = await runCorpus(readCorpus(own));
    judge(results);
    const refused = results.filter(isWrong).map(({ test }) => test.id);
    expect(refused, "each difference still exists").toEqual(REFUSED_ON_PURPOSE);
    expect(results.filter(({ outcome }) => outcome !== "skipped").length).toBeGreaterThan(400);
  });

  const there = existsSync(shared);
  test.skipIf(!there)(
    `with the vectors of Wycheproof${there ? "" : " (no folder shared/attack beside the repository)"}`,
    async () => {
      judge(await runCorpus(readCorpus(shared, (file) => file.startsWith("wycheproof-"))));
    },
  );
});
