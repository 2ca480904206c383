import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { createAuthFetch } from "../../client/index.ts";
import { Jar } from "../client/jar.ts";
import { Memory, play, running } from "../examples/play.ts";
import { stepsOf } from "../examples/transcript.ts";
import { page, section } from "../support/docs.ts";
import { ADAPTERS } from "../support/harness/types.ts";
import { ROOT } from "../support/house.ts";
import { importsOf } from "../support/source.ts";

const FOLDER = join(ROOT, "test/agreement/.started");
const text = page("getting-started.md");
const servers = new Map(
  [...text.matchAll(/^<!-- server: (\w+) -->\n```ts\n([\s\S]*?)```/gm)].map(([, name, code]) => [name, code] as const),
);
const transcripts = [...section(text, "3. Try it").matchAll(/```console\n([\s\S]*?)```/g)].map(([, lines = ""]) =>
  stepsOf(lines.split("\n")),
);
const env = {
  JWT_SECRET_KEY: "a secret that stays the same over the restart",
  TSX_TSCONFIG_PATH: join(ROOT, "tsconfig.json"),
};

/** The folder of the reader: the block of one framework in `server.ts`, and no database yet. */
function folderOf(name: string, user: string): string {
  const cwd = join(FOLDER, `${name}-${user}`);
  rmSync(cwd, { recursive: true, force: true });
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, "server.ts"), servers.get(name) ?? "");
  return cwd;
}

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));
afterEach(() => vi.unstubAllGlobals());

describe("docs/getting-started.md", () => {
  it("has a server for every adapter", () => {
    expect([...servers.keys()]).toEqual([...ADAPTERS]);
  });

  it.each(ADAPTERS)("installs what the server for %s imports", (name) => {
    const [before = "", after = ""] = text.split(`<!-- server: ${name} -->`).map((part) => part);
    const own = before.slice(before.lastIndexOf("<summary>"));
    const installed = [...`${section(text, "1. The folder")}${own}`.matchAll(/npm install (?!--)([\w@/ -]+)/g)]
      .flatMap(([, names = ""]) => names.trim().split(" "))
      .concat("node");
    const packages = importsOf(servers.get(name) ?? "")
      .filter(({ specifier }) => !isBuiltin(specifier))
      .map(({ specifier }) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0]);
    expect(after).not.toBe("");
    expect(packages.filter((one) => !installed.includes(one as string))).toEqual([]);
  });

  it.each(ADAPTERS)("answers as it says, before and after a restart: %s", { timeout: 60_000 }, async (name) => {
    const cwd = folderOf(name, "shell");
    const memory = new Memory();
    const [before, after] = [transcripts.slice(0, -1).flat(), transcripts.slice(-1).flat()];
    expect([before.length, after.length]).toEqual([7, 4]);
    for (const steps of [before, after]) await play("server.ts", { steps, cwd, env, memory });
  });

  it("has a page that works", { timeout: 60_000 }, async () => {
    const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(section(text, "4. The page")) ?? [];
    const AsyncFunction = (async () => {}).constructor as new (
      ...source: string[]
    ) => (make: unknown) => Promise<unknown>;
    const script = new AsyncFunction("createAuthFetch", code.replace(/^import .*\n/, "").concat("return note.status"));
    await running("server.ts", { cwd: folderOf("express", "page"), env }, async (origin) => {
      const jar = new Jar(Date.now);
      const reload = vi.fn();
      const told = vi.spyOn(console, "log").mockImplementation(() => {});
      vi.stubGlobal("location", { href: `${origin}/`, origin, reload });
      vi.stubGlobal("document", {
        get cookie() {
          return jar.readable;
        },
      });
      const make = (options: object) => createAuthFetch({ ...options, fetch: jar.fetch });
      expect(await script(make)).toBe(201);
      expect([told.mock.calls, reload.mock.calls.length]).toEqual([[[201, { by: "ada" }]], 1]);
      expect((await jar.fetch(`${origin}/me`)).status).toBe(401);
    });
  });
});
