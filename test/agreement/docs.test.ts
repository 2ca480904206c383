import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as library from "jwt-extended";
import { describe, expect, it } from "vitest";
import { OPTION_NAMES } from "../../src/config/checks.ts";
import { FLASK_DEFAULTS, OUR_DEFAULTS } from "../../src/config/defaults.ts";
import { FLASK_NAMES } from "../../src/config/flask-names.ts";
import { LOADER_NAMES } from "../../src/config/loaders.ts";
import { codeIn, page, rowsOf, section } from "../support/docs.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const PAGES = readdirSync(DOCS).filter((name) => name.endsWith(".md"));
const json = (value: unknown): string =>
  (JSON.stringify(value, null, 1) ?? "none").replaceAll(/\n\s*/g, " ").replaceAll(/(\[|\{) | (\]|\})/g, "$1$2");
const names = (rows: readonly string[][]): (string | undefined)[] => rows.map(([name]) => codeIn(name));

describe("docs/errors.md", () => {
  const text = page("errors.md");
  const rows = [
    ...rowsOf(section(text, "Refusals: what clients see")),
    ...rowsOf(section(text, "Mistakes: what developers see")),
  ];

  it("has every code with its status, and no other", () => {
    const codes = Object.entries(library.ERROR_CODES).map(([code, [status]]) => [`\`${code}\``, String(status)]);
    expect(rows.map((cells) => cells.slice(0, 2)).sort()).toEqual(codes.sort());
    for (const cells of rows)
      expect(cells.slice(2)).toEqual([expect.stringMatching(/.\.$/), expect.stringMatching(/.\.$/)]);
  });
  it("puts answers to clients and mistakes of developers apart", () => {
    const isAnswer = ([, status]: string[]) => Number(status) < 500 || status === "503";
    expect(rowsOf(section(text, "Refusals: what clients see")).every(isAnswer)).toBe(true);
    expect(rowsOf(section(text, "Mistakes: what developers see")).some(isAnswer)).toBe(false);
  });
  it("names every class, and no other", () => {
    const classes = Object.keys(library).filter(
      (name) => name.endsWith("Error") && name !== "isJwtError" && name !== "JwtError",
    );
    expect(names(rowsOf(section(text, "Classes"))).sort()).toEqual(classes.sort());
  });
});

describe("docs/options.md", () => {
  const rows = rowsOf(page("options.md"));

  it("has every option once, and no other", () => {
    expect(names(rows).sort()).toEqual([...OPTION_NAMES].sort());
  });
  it("has their defaults", () => {
    const ours = OUR_DEFAULTS as Readonly<Record<string, unknown>>;
    const flask = FLASK_DEFAULTS as Readonly<Record<string, unknown>>;
    for (const [cell, , value, , compat] of rows) {
      const name = codeIn(cell) ?? "";
      if (name in ours) expect([name, codeIn(value)]).toEqual([name, json(ours[name])]);
      else expect([name, value]).toEqual([name, expect.stringMatching(/./)]);
      const same = name in flask && json(flask[name]) === json(ours[name]);
      if (name in flask && !same) expect([name, codeIn(compat) ?? "none"]).toEqual([name, json(flask[name])]);
      if (name in flask && same) expect([name, compat]).toEqual([name, ""]);
    }
  });
  it("has their Flask names", () => {
    const flask = Object.fromEntries(
      rows.filter(([, , , name]) => name).map(([ours, , , name]) => [codeIn(name), codeIn(ours)]),
    );
    expect(flask).toEqual(FLASK_NAMES);
  });
});

describe("docs/flask.md", () => {
  const text = page("flask.md");

  it("has the 43 options of the original and what they are called here", () => {
    const rows = rowsOf(section(text, "Options")).map((cells) => [codeIn(cells[0]), codeIn(cells[1])]);
    expect(Object.fromEntries(rows)).toEqual(FLASK_NAMES);
    expect(rows.length).toBe(43);
  });
  it("has the 15 loaders of the original", () => {
    const rows = rowsOf(section(text, "Loaders")).map((cells) => codeIn(cells[1]));
    expect(rows.sort()).toEqual(LOADER_NAMES.filter((name) => name !== "error").sort());
    expect(rows.length).toBe(15);
  });
  it("names functions that exist", () => {
    const known = new Set([...Object.keys(library), ...Object.getOwnPropertyNames(library.JWTManager.prototype)]);
    const face = readFileSync(new URL("../../src/adapters/face.ts", import.meta.url), "utf8");
    for (const [, ours] of rowsOf(section(text, "Functions"))) {
      const name = /^`(?:jwt\.)?(\w+)/.exec(ours ?? "")?.[1] ?? "";
      expect([name, known.has(name) || face.includes(`readonly ${name}:`) || name === "jwtRequired"]).toEqual([
        name,
        true,
      ]);
    }
  });
});

describe("docs/loaders.md", () => {
  it("has every loader, and no other", () => {
    expect(names(rowsOf(page("loaders.md"))).sort()).toEqual([...LOADER_NAMES].sort());
  });
});

describe("docs/guards.md", () => {
  it("has every option of a guard, and no other", () => {
    const source = readFileSync(new URL("../../src/types.ts", import.meta.url), "utf8");
    const body = /interface GuardOptions[^{]*\{([\s\S]*?)\n\}/.exec(source)?.[1] ?? "";
    const options = [...body.matchAll(/readonly (\w+)\?:/g)].map(([, name]) => name);
    expect(options.length).toBeGreaterThan(5);
    expect(names(rowsOf(section(page("guards.md"), "Options of a guard"))).sort()).toEqual(options.sort());
  });
});

describe("all pages", () => {
  it.each(PAGES)("%s links to what exists", (name) => {
    for (const [, target = ""] of page(name).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
      // The README of the whole is written last.
      if (target !== "../README.md") expect([target, existsSync(new URL(target, DOCS))]).toEqual([target, true]);
    }
  });
  it.each(PAGES)("%s names no codes that do not exist", (name) => {
    const codes = Object.keys(library.ERROR_CODES);
    const looks = [
      ...page(name).matchAll(
        /`(token_[a-z_]+|csrf_[a-z_]+|session_[a-z]+|store_[a-z]+|insufficient_(?:role|scope))(?<!_loader)`/g,
      ),
    ];
    const options = ["token_type", "csrf_token", "csrf_access", "csrf_refresh"];
    for (const [, code = ""] of looks)
      expect([code, codes.includes(code) || options.includes(code)]).toEqual([code, true]);
  });
});
