import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll } from "vitest";
import { ROOT } from "../support/house.ts";

/** How the command is run. */
export interface Setting {
  /** @default a new folder */
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What comes on standard input. @default nothing */
  readonly stdin?: string | undefined;
}

/** What a run left behind. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly cwd: string;
  /** What `--json` printed. */
  json(): Record<string, unknown>;
}

/** Beside the packages, and as far below the root as the source, so that it finds what the source finds. */
const BUILT = join(ROOT, `node_modules/.jx-cli-${process.pid}-${Date.now()}`);
let built: Promise<string> | undefined;

/** The command joined from its source, as it ships: started from the source itself it takes five times as long. */
export function builtCommand(): Promise<string> {
  built ??= build({
    entryPoints: [join(ROOT, "src/cli/main.ts")],
    outdir: BUILT,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    packages: "external",
    outExtension: { ".js": ".mjs" },
    logLevel: "error",
  }).then(() => join(BUILT, "main.mjs"));
  return built;
}

const folders: string[] = [];
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of [...folders.splice(0), BUILT]) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the tests of a file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "jx-cli-"));
  folders.push(folder);
  return folder;
}

/** Starts a program of ours; nothing of the environment of the tests gets in. */
export function start(program: string, args: readonly string[], { cwd = temporaryFolder(), env = {} }: Setting) {
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.add(child);
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
  child.stdin.on("error", () => {});
  const ended = new Promise<Ran>((resolve) =>
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, ...said, cwd, json: () => JSON.parse(said.out) as Record<string, unknown> });
    }),
  );
  return { child, said, ended };
}

/** Runs the command as a process of its own. */
export async function command(args: readonly string[], setting: Setting = {}): Promise<Ran> {
  const { child, ended } = start(process.execPath, [await builtCommand(), ...args], setting);
  child.stdin.end(setting.stdin ?? "");
  return ended;
}

/** Starts `serve` on a free port, and tells where it listens. */
export async function serving(words: readonly string[], setting: Setting = {}) {
  const { cwd = temporaryFolder(), env = {} } = setting;
  const args = [await builtCommand(), "serve", ...words];
  const { child, said, ended } = start(process.execPath, args, { cwd, env: { PORT: "0", ...env } });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", () => {
      const [, found] = /Listening on (http:[\w.:/]+)/.exec(said.out) ?? [];
      if (found) resolve(found);
    });
    void ended.then(({ code, err }) => reject(new Error(`serve ended with ${code}: ${err}`)));
  });
  const stop = (): Promise<Ran> => {
    child.kill("SIGTERM");
    return ended;
  };
  return { url, cwd, stop };
}
