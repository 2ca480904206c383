import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/run.ts";
import { fits } from "../examples/transcript.ts";
import { page, rowsOf, section } from "../support/docs.ts";
import { ROOT } from "../support/house.ts";
import { filesBelow, readText } from "../support/source.ts";
import { builtCommand, serving, start, temporaryFolder } from "./command.ts";

const text = page("cli.md");

/** One command of a block, what must come of it, and the exit code, written as `[1]` under it. */
interface Step {
  readonly line: string;
  readonly expected: string;
  readonly code: number;
}

const steps: readonly Step[] = [...text.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((entry) => {
      const [line = "", ...answer] = entry.trimEnd().split("\n");
      const [, code] = /^\[(\d)\]$/.exec(answer.at(-1) ?? "") ?? [];
      return { line, expected: (code ? answer.slice(0, -1) : answer).join("\n"), code: Number(code ?? 0) };
    }),
);

/** A folder with `npx` and `npm` as a reader has them: the one starts the command, the other has installed all already. */
async function toolsOf(): Promise<string> {
  const folder = temporaryFolder();
  const programs = {
    npx: `[ "$1" = jwt-extended ] || exit 9\nshift\nexec "${process.execPath}" "${await builtCommand()}" "$@"`,
    npm: `[ "$1" = install ] || exit 9\necho "up to date"`,
  };
  mkdirSync(join(folder, "bin"));
  for (const [name, code] of Object.entries(programs)) {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${code}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  }
  return join(folder, "bin");
}

it("docs/cli.md names every command", () => {
  const names = rowsOf(text.slice(0, text.indexOf("## Secrets"))).map(([name]) => name?.slice(1, -1));
  expect(names).toEqual(COMMANDS.map(({ name }) => name));
});

it("docs/cli.md names every check of the doctor", () => {
  const rows = section(text, "The doctor").match(/^\| [a-z, ]+ \|/gm) ?? [];
  const folder = join(ROOT, "src/cli/doctor");
  const source = filesBelow(folder, () => true).map((name) => readText(join(folder, name)));
  const checks = source.join("\n").matchAll(/\b(?:ok|fault|warning|skipped)\(\s*"(\w+)"|\bcheck = "(\w+)"/g);
  const made = [...new Set([...checks].map(([, name, constant]) => name ?? constant))];
  expect(made.length).toBeGreaterThan(10);
  // These two are the names of what is examined.
  const known = [...rows.flatMap((row) => row.match(/[a-z]+/g) ?? []), "address", "configuration"];
  expect(made.filter((name) => !known.includes(name as string))).toEqual([]);
});

it("what docs/cli.md shows comes true", { timeout: 120_000 }, async () => {
  const tools = await toolsOf();
  const cwd = temporaryFolder();
  const env = { PATH: `${tools}${delimiter}${process.env.PATH}` };
  const { url, stop } = await serving([]);
  expect(steps.length).toBeGreaterThan(12);
  const set: string[] = [];
  for (const { line, expected, code } of steps) {
    const { child, ended } = start("sh", ["-c", [...set, line.replace("http://127.0.0.1:5000", url)].join("\n")], {
      cwd,
      env,
    });
    child.stdin.end();
    const ran = await ended;
    if (line.startsWith("export ")) set.push(line);
    const came = `${ran.out}${ran.err}`.trimEnd();
    expect([line, ran.code, fits(expected, came, new Map()) ? expected : came]).toEqual([line, code, expected]);
  }
  expect((await stop()).code).toBe(0);
});
