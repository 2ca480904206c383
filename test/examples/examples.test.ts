import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/house.ts";
import { available } from "../support/require.ts";
import { importsOf, readText } from "../support/source.ts";
import { play } from "./play.ts";
import { SERVERS } from "./servers.ts";
import { stepsOf, topComment } from "./transcript.ts";

const folder = join(ROOT, "examples");
const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
const catalogue = readText(join(folder, "README.md"));

it.concurrent.each(files.filter((name) => !(name in SERVERS)))(
  "examples/%s answers as its comment says",
  { timeout: 120_000 },
  (file) => play(`examples/${file}`),
);

describe.each(Object.entries(SERVERS))("examples/%s", (file, { what, present, start }) => {
  it.skipIf(!available(what, present))("answers as its comment says", { timeout: 120_000 }, async () => {
    const { env, close } = await start();
    try {
      await play(`examples/${file}`, { env });
    } finally {
      await close();
    }
  });
});

describe.each(files)("examples/%s", (file) => {
  const source = readText(join(folder, file));
  const comment = topComment(source);

  it("says in one sentence what it shows, and how to see it", () => {
    expect(comment[0]).toMatch(/^Shows .*[^.]\.?$/);
    expect(stepsOf(comment).length).toBeGreaterThan(1);
    expect(comment.filter((line) => line.startsWith("$ ")).length).toBe(
      stepsOf(comment).filter((step) => "command" in step).length,
    );
  });

  it("can be read at a glance", () => {
    const lines = source.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it("uses the library as a user does", () => {
    const specifiers = importsOf(source).map(({ specifier }) => specifier);
    expect(specifiers).toContain("jwt-extended");
    expect(specifiers.filter((name) => name.startsWith("."))).toEqual([]);
    expect(source).not.toMatch(/secretKey: ["'`]|secret = ["'`]/);
  });

  it("is in the list of examples", () => {
    expect(catalogue).toContain(`(${file})`);
  });
});

it("the list names no example that is not there", () => {
  const listed = [...catalogue.matchAll(/\]\(([\w-]+\.ts)\)/g)].map(([, name]) => name);
  expect(listed.filter((name) => !files.includes(name as string))).toEqual([]);
});
