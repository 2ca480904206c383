import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../support/house.ts";
import { readText } from "../support/source.ts";

const execute = promisify(execFile);

/** A package.json, as far as it is read here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

export const manifest = JSON.parse(readText(join(ROOT, "package.json"))) as Manifest;

/** Runs a program without a shell; a failure throws with all that it printed. */
export async function run(program: string, args: readonly string[], folder: string): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { cwd: folder, maxBuffer: 1 << 26, env: environment() });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "", message = "" } = error as { stdout?: string; stderr?: string; message?: string };
    throw new Error(`${basename(program)} ${args.join(" ")}\n${`${stdout}\n${stderr}`.trim() || message}`);
  }
}

/** The environment without what the outer npm run says about the repository's own package. */
export function environment(): NodeJS.ProcessEnv {
  const own = /^npm_(package|lifecycle|command|execpath|config_local_prefix)|^INIT_CWD$|^NODE_(OPTIONS|PATH)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

/** Runs a script that a development dependency brings along. */
export function tool(path: string, args: readonly string[], folder: string): Promise<string> {
  return run(process.execPath, [join(ROOT, "node_modules", path), ...args], folder);
}

/** Packs a copy of the repository's files, built from nothing, and answers the path of the tarball. */
export async function pack(work: string): Promise<string> {
  const stage = join(work, "stage");
  const left = new Set(["node_modules", "dist", "coverage", ".git"]);
  mkdirSync(stage);
  for (const name of readdirSync(ROOT)) {
    if (!left.has(name) && !name.endsWith(".tgz")) cpSync(join(ROOT, name), join(stage, name), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(stage, "node_modules"), "dir");
  await run("npm", ["pack", "--pack-destination", work, "--loglevel", "error"], stage);
  const tarball = readdirSync(work).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack left no tarball");
  return join(work, tarball);
}

export function workFolder(): string {
  return mkdtempSync(join(tmpdir(), "jwt-extended-package-"));
}

/** An empty project outside the repository with the tarball installed in it, and nothing else but the named packages. */
export async function project(work: string, name: string, tarball: string, packages: readonly string[] = []) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
  await run("npm", ["install", ...quiet, tarball, ...packages], folder);
  return folder;
}

/** `name@version` with the version that the repository itself has installed. */
export function pinned(name: string): string {
  const { version } = JSON.parse(readText(join(ROOT, "node_modules", name, "package.json"))) as Manifest;
  return `${name}@${version}`;
}

/** Copies packages of the repository into a project (a link would let it see all the others). */
export function lend(folder: string, names: readonly string[]): void {
  for (const name of names) {
    const to = join(folder, "node_modules", name);
    if (!existsSync(to)) cpSync(join(ROOT, "node_modules", name), to, { recursive: true });
  }
}
