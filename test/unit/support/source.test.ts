import { describe, expect, it } from "vitest";
import { importsOf, mask } from "../../support/source.ts";

const specifiers = (text: string): string[] =>
  importsOf(text).map(({ specifier, typeOnly }) => (typeOnly ? `type ${specifier}` : specifier));

describe("importsOf", () => {
  it.each([
    [`import "./a.ts";`, ["./a.ts"]],
    [`import a from './a.ts'`, ["./a.ts"]],
    [`import * as a from "./a.ts";`, ["./a.ts"]],
    [`import a, { b as c,\n  d } from "./a.ts";`, ["./a.ts"]],
    [`import{a}from"./a.ts";import type{b}from"./b.ts"`, ["./a.ts", "type ./b.ts"]],
    [`import type { A } from "./a.ts";\nimport { type B } from "./b.ts";`, ["type ./a.ts", "./b.ts"]],
    [`import type from "./a.ts";`, ["./a.ts"]],
    [`export * from "./a.ts"; export type * from "./b.ts";`, ["./a.ts", "type ./b.ts"]],
    [`export { a } from "./a.ts";\nexport type { B } from "./b.ts";`, ["./a.ts", "type ./b.ts"]],
    [`const a = await import("./a.ts"); const b = require('b');`, ["./a.ts", "b"]],
    [`let a: import("./a.ts").A; let b: typeof import("./b.ts");`, ["type ./a.ts", "type ./b.ts"]],
    [`process.getBuiltinModule("node:fs")`, ["node:fs"]],
    [`// import "./a.ts";\n/* import "./b.ts"; */`, []],
    ['const a = `\nimport "./a.ts";\n`;', []],
    [`const a = 'import "./a.ts"';`, []],
    [`export const a = "x";\nexport default "y";`, []],
    [`export type A = "a" | "b";\nexport type B = {\n  from: "a" };`, []],
  ])("reads %s", (text, found) => {
    expect(specifiers(text)).toEqual(found);
  });
});

describe("mask", () => {
  it("blanks comments in place", () => {
    expect(mask("a /* b */ c // d\ne").code).toBe("a         c     \ne");
  });
  it("leaves literals in the code and empties them in the bare text", () => {
    expect(mask(`f("a//b", 'c')`)).toEqual({ code: `f("a//b", 'c')`, bare: `f("    ", ' ')` });
  });
  it("reads on inside a template", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is a template of its own
    expect(mask("`a${{ b: `c` }.b /* d */}e` + f").bare).toBe("`  {{ b: ` ` }.b        } ` + f");
  });
  it("knows a regular expression from a division", () => {
    expect(mask(`a = /["/]*/.test(b); c / d / "e"`).bare).toBe(`a = /     /.test(b); c / d / " "`);
  });
});
