import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { page } from "../support/docs.ts";
import { ROOT } from "../support/house.ts";

const FOLDER = join(ROOT, "test/agreement/.snippets");
const NAMES = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));

/** The TypeScript of a page as one module: each block in a function of its own that sees the blocks before it. */
function moduleOf(text: string): string {
  const imports = new Map<string, Set<string>>();
  const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = ""]) =>
    block.replaceAll(/^import (.*) from "([^"]+)";\n/gm, (_line, what: string, from: string) => {
      const names = imports.get(from) ?? new Set();
      for (const name of what.replace(/[{}]/g, "").split(","))
        names.add(what.startsWith("{") ? name.trim() : `default as ${name.trim()}`);
      imports.set(from, names);
      return "";
    }),
  );
  const head = [...imports].map(([from, names]) => `import { ${[...names].join(", ")} } from "${from}";`);
  const open = blocks.map((block) => `{\n${block}`);
  // `token` stands for one that the reader has at hand.
  return `${head.join("\n")}\ndeclare const token: string;\n${open.join("\n")}${"\n}".repeat(blocks.length)}\nexport {};\n`;
}

describe("the TypeScript of the documentation", () => {
  afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

  it("is right", { timeout: 120_000 }, () => {
    rmSync(FOLDER, { recursive: true, force: true });
    mkdirSync(FOLDER, { recursive: true });
    const names = NAMES.map((name) => name.replace(/\.md$/, ".ts"));
    for (const name of NAMES) writeFileSync(join(FOLDER, name.replace(/\.md$/, ".ts")), moduleOf(page(name)));
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
