import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { cycles, importFault, roomOf } from "../../support/house.ts";
import { importsOf, mask } from "../../support/source.ts";

/** The fault of the one import of a text that stands at a path. */
function fault(path: string, text: string): string | undefined {
  const imports = importsOf(text).map((found) => ({
    ...found,
    target: found.specifier.startsWith(".") ? join(dirname(path), found.specifier) : undefined,
  }));
  const [found] = imports;
  if (found === undefined) throw new Error("nothing imported");
  return importFault({ path, room: roomOf(path), lines: 1, imports, ...mask(text) }, found);
}

describe("importFault", () => {
  it.each([
    ["token/a.ts", `import { a } from "../errors.ts";`],
    ["errors.ts", `import type { A } from "./types.ts";`],
    ["crypto/a.ts", `import { hash } from "node:crypto";`],
    ["config/a.ts", `import type { KeyObject } from "node:crypto";`],
    ["adapters/node-request.ts", `import { Buffer } from "node:buffer";`],
    ["adapters/hono.ts", `import type { Context } from "hono";`],
    ["accounts/a.ts", `import { hash } from "@node-rs/argon2";`],
    ["auth-server/a.ts", `const { pino } = await import("pino");`],
  ])("lets %s pass with %s", (path, text) => {
    expect(fault(path, text)).toBeUndefined();
  });

  it.each([
    ["token/a.ts", `import { a } from "../guard/b.ts";`, "floor 4 is not below floor 3"],
    ["token/a.ts", `import type { A } from "../sessions/b.ts";`, "floor 3 is not below floor 3"],
    ["errors.ts", `import type { A } from "./http/types.ts";`, "floor 1 is not below floor 0"],
    ["adapters/a.ts", `import { a } from "../testing/b.ts";`, "floor 7 is not below floor 7"],
    ["routes/a.ts", `import { a } from "../index.ts";`, "floor 6.5 is not below floor 6"],
    ["guard/a.ts", `import { a } from "../cli/b.ts";`, "floor 9 is not below floor 4"],
    ["auth-server/a.ts", `import { a } from "../cli/b.ts";`, "floor 9 is not below floor 8"],
    ["adapters/a.ts", `import { a } from "../auth-server/b.ts";`, "floor 8 is not below floor 7"],
    ["cli/a.ts", `const { pino } = await import("pino");`, "no third party is imported here"],
    ["other/a.ts", `import { a } from "../errors.ts";`, "the room has no floor"],
    ["token/a.ts", `import { a } from "./index.ts";`, "a room does not import its own index"],
    ["token/a.ts", `import { a } from "./b.js";`, "a relative import names its file with the ending .ts"],
    ["token/a.ts", `import { a } from "./nowhere.ts";`, "there is no such file in src"],
    ["internal/a.ts", `import { a } from "../errors.ts";`, "internal imports nothing from elsewhere"],
    ["internal/a.ts", `import type { A } from "node:buffer";`, "internal imports nothing from elsewhere"],
    ["token/a.ts", `import { hash } from "node:crypto";`, "node: modules are loaded in other rooms"],
    ["adapters/web.ts", `import { Buffer } from "node:buffer";`, "node: modules are loaded in other rooms"],
    ["adapters/koa.ts", `import type { A } from "hono";`, "a framework is named in the adapter of that name only"],
    ["manager.ts", `import type { A } from "fastify";`, "a framework is named in the adapter of that name only"],
    ["adapters/hono.ts", `import { a } from "hono/factory";`, "an adapter takes the types of its framework only"],
    ["token/a.ts", `const { jwtVerify } = await import("jose");`, "no third party is imported here"],
    ["token/a.ts", `import { a } from "crypto";`, "no third party is imported here"],
    ["testing/a.ts", `import { a } from "jwt-extended";`, "no third party is imported here"],
  ])("refuses in %s: %s", (path, text, expected) => {
    expect(fault(path, text)).toBe(expected);
  });
});

describe("cycles", () => {
  it("names each loop once, from its first file on", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c", "d"]],
      ["c", ["a"]],
      ["d", ["d"]],
    ]);
    expect(cycles(graph)).toEqual(["a > b > c > a", "d > d"]);
  });
  it("lets a diamond pass", () => {
    const graph = new Map([
      ["a", ["b", "c"]],
      ["b", ["d"]],
      ["c", ["d"]],
    ]);
    expect(cycles(graph)).toEqual([]);
  });
});
