import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { play } from "../examples/play.ts";
import { stepsOf, topComment } from "../examples/transcript.ts";
import { quickStart } from "../package/quick-start.ts";
import { ROOT } from "../support/house.ts";
import { readText } from "../support/source.ts";

const readme = readText(join(ROOT, "README.md"));
const blocks = [...readme.matchAll(/^<!-- quick start: (\w+) -->$/gm)].map(([, name]) => name as string);
const files = readdirSync(join(ROOT, "examples")).filter((name) => name.startsWith("quick-start-"));

/** The lines of the console block that follows a text. */
function consoleAfter(text: string): string[] {
  const block = /```console\n([\s\S]*?)```/.exec(readme.slice(readme.indexOf(text)));
  return (block?.[1] ?? "").split("\n");
}

describe("the quick starts of the README", () => {
  it("are those of the examples", () => {
    expect(blocks.map((name) => `quick-start-${name}.ts`).sort()).toEqual(files.sort());
  });

  it.each(blocks)("%s is examples/quick-start-%s.ts, word for word", (name) => {
    const source = readText(join(ROOT, `examples/quick-start-${name}.ts`));
    const code = source
      .split("\n")
      .slice(topComment(source).length + 1)
      .join("\n");
    expect(quickStart(name)).toBe(code);
  });

  it("answers as the README says", { timeout: 60_000 }, () =>
    play("examples/quick-start-express.ts", { steps: stepsOf(consoleAfter("## Quick start")) }),
  );
});

describe("the rest of the README", () => {
  it("shows what the auth server answers", { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "jwt-extended-readme-"));
    try {
      const steps = stepsOf(consoleAfter("<!-- npm start -->"));
      expect(steps).toHaveLength(6);
      await play("src/cli/main.ts", { steps, args: ["serve"], env: { DATABASE_FILE: join(folder, "auth.db") } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(["README.md", "examples/README.md"])("%s links to what is there", (path) => {
    const text = readText(join(ROOT, path));
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => join(dirname(path), link as string));
    expect([...new Set(links)].filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  });
});
