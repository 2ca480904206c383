import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { moduleOf, page } from "../support/docs.ts";
import { ROOT } from "../support/house.ts";

const FOLDER = join(ROOT, "test/agreement/.snippets");
const NAMES = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
/** This package changes the type of `body` in all requests, so pages with it are a program of their own. */
const hasKoa = (name: string): boolean => page(name).includes("@koa/bodyparser");
const PROGRAMS = [
  ["with Koa", NAMES.filter(hasKoa)],
  ["without Koa", NAMES.filter((name) => !hasKoa(name))],
] as const;

describe("the TypeScript of the documentation", () => {
  afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

  it.each(PROGRAMS)("is right, %s", { timeout: 120_000 }, (_, pages) => {
    expect(pages.length).toBeGreaterThan(0);
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    const names = pages.map((name) => name.replace(/\.md$/, ".ts"));
    for (const name of pages) writeFileSync(join(FOLDER, name.replace(/\.md$/, ".ts")), moduleOf(page(name)));
    const config = {
      extends: "../../../tsconfig.json",
      compilerOptions: {
        noUnusedLocals: false,
        noUnusedParameters: false,
        exactOptionalPropertyTypes: false,
        rootDir: ROOT,
      },
      include: names,
    };
    writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify(config));
    const { stdout, status } = spawnSync(
      process.execPath,
      [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", FOLDER],
      {
        cwd: ROOT,
        encoding: "utf8",
      },
    );
    expect([status, stdout]).toEqual([0, ""]);
  });
});
