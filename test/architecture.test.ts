import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cycles, FLOORS, importFault, ROOT, type SourceFile, sourceFiles } from "./support/house.ts";
import { filesBelow, lineOf, readText } from "./support/source.ts";

const files = sourceFiles();
const rooms = [...new Set(files.filter(({ path }) => path.includes("/")).map(({ room }) => room))];

/** Every place of a pattern in the code of a file (comments are blank there), as `path:line text`. */
function places({ path, code }: SourceFile, pattern: RegExp): string[] {
  return [...code.matchAll(pattern)].map(({ index }) => {
    const line = lineOf(code, index);
    return `${path}:${line} ${code.split("\n")[line - 1]?.trim()}`;
  });
}

describe("the house", () => {
  it("gives every room a floor", () => {
    expect(rooms.filter((room) => FLOORS[room] === undefined)).toEqual([]);
    expect(files.filter(({ room }) => FLOORS[room] === undefined).map(({ path }) => path)).toEqual([]);
  });

  it("imports strictly downward, or inside a room, and only what the place may know", () => {
    const faults = files.flatMap((file) =>
      file.imports.flatMap((found) => {
        const fault = importFault(file, found);
        return fault === undefined ? [] : [`${file.path}:${found.line} ${found.specifier}: ${fault}`];
      }),
    );
    expect(faults).toEqual([]);
  });

  it("has no cycle of value imports", () => {
    const graph = new Map(
      files.map(({ path, imports }) => [
        path,
        imports.flatMap(({ target, typeOnly }) => (typeOnly || target === undefined ? [] : [target])),
      ]),
    );
    expect(cycles(graph)).toEqual([]);
  });

  it("keeps the lists of public names to re-exports", () => {
    const index = files.find(({ path }) => path === "index.ts");
    const statements = index?.bare.split(";").filter((text) => !/^\s*(export\b[\s\S]*\bfrom\b[\s\S]*)?$/.test(text));
    expect(statements ?? []).toEqual([]);
  });

  it("keeps files short", () => {
    const long = files.filter(({ lines }) => lines > 200).map(({ path, lines }) => `${path} has ${lines} lines`);
    if (long.length > 0) console.info(`past the aim of 200 lines:\n  ${long.join("\n  ")}`);
    expect(files.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path} has ${lines} lines`)).toEqual([]);
  });

  it("has no folder without a subject", () => {
    const all = ["src", "client", "console", "examples", "bench", "test", "scripts"].flatMap((top) => {
      const folder = join(ROOT, top);
      return existsSync(folder) ? filesBelow(folder, () => true).map((path) => `${top}/${path}`) : [];
    });
    expect(all.filter((path) => /\/(utils?|helpers?|common|lib)\//i.test(path))).toEqual([]);
  });

  it("has a README of about three sentences in each room", () => {
    const faults = rooms.flatMap((room) => {
      const path = join(ROOT, "src", room, "README.md");
      if (!existsSync(path)) return [`${room}: no README.md`];
      const prose = readText(path)
        .replace(/^#.*$/gm, "")
        .replace(/`[^`]*`|\b(e\.g|i\.e|etc)\./g, "");
      const sentences = prose.match(/[.!?](?=\s|$)/g)?.length ?? 0;
      return sentences >= 1 && sentences <= 4 ? [] : [`${room}/README.md: ${sentences} sentences`];
    });
    expect(faults).toEqual([]);
  });

  it("shares nothing but types with the browser", () => {
    /** What the values in a folder may be imported from beside the folder itself. */
    const outside = (folder: string, allowed: RegExp): string[] =>
      sourceFiles(join(ROOT, folder)).flatMap(({ path, imports }) =>
        imports
          .filter(({ target, typeOnly }) => !typeOnly && (target === undefined || target.startsWith("..")))
          .map(({ target, specifier }) => target ?? specifier)
          .filter((from) => !allowed.test(from))
          .map((from) => `${folder}/${path}: ${from}`),
      );
    expect(outside("client", /^$/)).toEqual([]);
    expect(outside("console", /^(preact(\/.*)?|vite|node:.*|\.\.\/client\/[\w-]+\.ts)$/)).toEqual([]);
  });
});

describe("compat", () => {
  it("is named in config only", () => {
    const elsewhere = files.filter(({ room }) => room !== "config").flatMap((file) => places(file, /flask/gi));
    const names = /\bfromFlaskConfig\b|flask-names\.ts/g;
    expect(elsewhere.filter((place) => /flask/i.test(place.replace(names, "")))).toEqual([]);
  });

  it("reads every field of the behaviour record somewhere, and no other", () => {
    const fields = behaviourFields();
    const reads = new Map(fields.map((field): [string, string[]] => [field, []]));
    const unknown: string[] = [];
    for (const file of files.filter(({ path }) => path !== "config/behaviour.ts")) {
      for (const [field, index] of behaviourReads(file)) {
        const place = `${file.path}:${lineOf(file.code, index)}`;
        if (reads.has(field)) reads.get(field)?.push(place);
        else unknown.push(`${place} ${field}`);
      }
    }
    console.info([...reads].map(([field, at]) => `behaviour.${field}: ${at.join(", ") || "never read"}`).join("\n"));
    expect(fields.length).toBeGreaterThan(0);
    expect(unknown).toEqual([]);
    expect([...reads].filter(([, at]) => at.length === 0).map(([field]) => field)).toEqual([]);
  });
});

/** The fields of `interface Behaviour`. */
function behaviourFields(): string[] {
  const record = files.find(({ path }) => path === "config/behaviour.ts");
  const body = /\binterface Behaviour\b[^{]*\{([\s\S]*?)\n\}/.exec(record?.bare ?? "")?.[1];
  if (body === undefined) throw new Error("config/behaviour.ts declares no interface Behaviour");
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, field]) => field as string);
}

/** `behaviour.field`, `behaviour?.field` and `const { field } = ….behaviour`. */
function behaviourReads({ bare }: SourceFile): (readonly [field: string, index: number])[] {
  const dotted = [...bare.matchAll(/\bbehaviour\s*\??\.\s*(\w+)/g)].map(
    (found) => [found[1] as string, found.index] as const,
  );
  const taken = [...bare.matchAll(/\{([\w\s,:]*)\}\s*=\s*(?:[\w.?]+\.)?behaviour\s*;/g)].flatMap((found) =>
    (found[1] as string)
      .split(",")
      .map((name) => name.split(":")[0]?.trim() ?? "")
      .filter((name) => name !== "")
      .map((name) => [name, found.index] as const),
  );
  return [...dotted, ...taken];
}

it("reads the folder it should read", () => {
  expect(readdirSync(join(ROOT, "src"))).toContain("errors.ts");
  expect(files.length).toBeGreaterThan(1);
});
