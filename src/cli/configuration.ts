import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { type Environment, readEnvironment } from "../auth-server/environment.ts";
import { CannotStart, codeOf } from "../auth-server/faults.ts";
import { fromEnv, inVariables } from "../config/flask-names.ts";
import { ConfigError } from "../errors.ts";
import { JWTManager } from "../manager.ts";
import type { TokenStore } from "../stores/contract.ts";
import { Failure, type Input, type Io, type OptionSpec } from "./command.ts";

export const ENVIRONMENT_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  env: { type: "string", value: "FILE", says: "Read variables from a file, too; those of the environment win." },
};

export const TOKEN_VARIABLES =
  "The configuration is that of the variables JWT_…; JWT_SECRET_KEY_FILE names the file of a secret.";
export const STORE_VARIABLES =
  "The stores are those of serve: DATABASE_URL (postgres://…, mysql://… or file:…) or DATABASE_FILE, and REDIS_URL for sessions.";

/**
 * The variables of the process and of `--env`, which are those of the process from now on: checks of options read them there.
 * @throws Failure `file_unreadable`
 */
export function loadEnvironment(input: Input): void {
  const file = input.text("env");
  if (file === undefined) return;
  try {
    process.loadEnvFile(file);
  } catch (error) {
    throw new Failure("file_unreadable", `${file} cannot be read (${codeOf(error)}).`);
  }
}

/** @throws Failure `config_invalid` with all faults, where there are any */
export function assertSound(faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new Failure(
    "config_invalid",
    ["The configuration is wrong:", ...faults.map((line) => `- ${line}`)].join("\n"),
    faults,
  );
}

/** The variables, files of secrets read. @throws Failure `config_invalid` */
export function environmentOf(input: Input, io: Io): Environment {
  loadEnvironment(input);
  const faults: string[] = [];
  const env = readEnvironment(io.env, faults);
  assertSound(faults);
  return env;
}

/** A manager over the variables. @throws Failure `config_invalid` */
export function managerOf(env: Environment, store: TokenStore | null): JWTManager<undefined, Record<string, unknown>> {
  try {
    return new JWTManager({ ...fromEnv(env), store, warn: () => {} });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assertSound(error.faults.map(inVariables));
    throw error;
  }
}

/** What the stores of serve are made with. */
const packagesOf = ({ DATABASE_URL = "", REDIS_URL }: Environment): readonly string[] => [
  "kysely",
  "@node-rs/argon2",
  "rate-limiter-flexible",
  /^postgres/.test(DATABASE_URL) ? "pg" : /^(mysql|mariadb)/.test(DATABASE_URL) ? "mysql2" : "libsql",
  ...(REDIS_URL ? ["ioredis"] : []),
];

/**
 * Loads what needs packages that only some users install.
 * @throws Failure `package_missing` with the line that installs all that are missing
 */
export async function needing<T>(load: () => Promise<T>, env: Environment, ...more: readonly string[]): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (codeOf(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    const missing = [...packagesOf(env), ...more].filter((name) => !isInstalled(name));
    if (missing.length === 0) throw error;
    throw new Failure("package_missing", `Packages are missing: npm install ${missing.join(" ")}`);
  }
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * Opens the stores of serve. Where tables are not to be made, no file is made either.
 * @throws Failure `config_invalid`, `store_unavailable`, `package_missing`
 */
export async function openStores(env: Environment, { migrate }: { readonly migrate: boolean }) {
  const { readSettings } = await needing(() => import("../auth-server/settings.ts"), env);
  const faults: string[] = [];
  const settings = await readSettings(env, faults);
  assertSound(faults);
  const { database } = settings;
  if (!migrate && database.kind === "sqlite" && !existsSync(database.file)) {
    throw new Failure(
      "store_unavailable",
      `There is no database ${database.file}: npx jwt-extended migrate makes it, or name another with DATABASE_FILE.`,
    );
  }
  const { openStores: open } = await needing(() => import("../auth-server/stores.ts"), env);
  try {
    return { settings, stores: await open(settings, { migrate, tell: () => {} }) };
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    const isPackage = /^The package .* is missing/.test(error.message);
    throw new Failure(isPackage ? "package_missing" : "store_unavailable", error.faults.join("\n"));
  }
}
