import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { reading } from "./findings/reading.ts";
import { requests } from "./findings/requests.ts";
import { unsafe } from "./findings/unsafe.ts";

const FOLDER = new URL("./findings/", import.meta.url);
const LINES = { A: 19, B: 6, C: 43 };

/** Each line of the findings about Flask-JWT-Extended 4.7.4, by its number, as it is decided without `compat: "flask"`. */
describe("findings", () => {
  unsafe();
  requests();
  reading();

  it("have a test for each line", () => {
    const text = readdirSync(FOLDER)
      .map((name) => readFileSync(new URL(name, FOLDER), "utf8"))
      .join("\n");
    const numbers = Object.entries(LINES).flatMap(([part, count]) =>
      Array.from({ length: count }, (_, i) => `${part}${i + 1}`),
    );
    expect(numbers.filter((number) => !new RegExp(`it\\("${number}[: ]`).test(text))).toEqual([]);
  });
});
