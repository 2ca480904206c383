import fc from "fast-check";
import { expect, test } from "vitest";
import { createSightings } from "../../../src/internal/sightings.ts";

test("knows a number again, and few that it never saw", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer(), { minLength: 20, maxLength: 200 }), (marks) => {
      const sightings = createSightings(1000);
      const early = marks.filter((mark) => sightings.isSecond(mark)).length;
      expect(early).toBeLessThanOrEqual(marks.length / 8);
      expect(marks.every((mark) => sightings.isSecond(mark))).toBe(true);
    }),
  );
});

test("forgets, so that it never says so of most", () => {
  const sightings = createSightings(100);
  let early = 0;
  for (let mark = 0; mark < 100_000; mark++) if (sightings.isSecond(mark)) early++;
  expect(early).toBeLessThan(100_000 / 8);
});

test.each([0, 1, 1e9])("works where %d are expected", (expected) => {
  const sightings = createSightings(expected);
  expect(sightings.isSecond(7)).toBe(false);
  expect(sightings.isSecond(7)).toBe(true);
});
