import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CannotStart, codeOf } from "./faults.ts";

/** What the server makes for itself where it is started, and nobody else may read. */
export const OWN_FOLDER = ".jwt-extended";
/** Where the secret for development is kept. */
export const DEVELOPMENT_SECRET: string = join(OWN_FOLDER, "dev-secret");

/**
 * Reads the secret for development, or makes it. Nobody else on the machine may be able to read or to swap it.
 * @throws CannotStart
 */
export function developmentSecret(): string {
  makeOwnFolder();
  writeIfAbsent(DEVELOPMENT_SECRET, `${randomBytes(32).toString("base64url")}\n`);
  return readPrivate(DEVELOPMENT_SECRET);
}

/** Makes the folder, which version control leaves out. @throws CannotStart where it is not ours alone */
export function makeOwnFolder(): void {
  try {
    mkdirSync(OWN_FOLDER, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw unusable(OWN_FOLDER, codeOf(error));
  }
  const folder = lstatSync(OWN_FOLDER);
  if (!folder.isDirectory()) throw unusable(OWN_FOLDER, "it is no folder");
  assertPrivate(OWN_FOLDER, folder);
  writeIfAbsent(join(OWN_FOLDER, ".gitignore"), "*\n");
}

/** `O_EXCL` and `O_NOFOLLOW`: neither a file nor a link that somebody has put there is ever written through. */
function writeIfAbsent(path: string, text: string): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
  try {
    const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    writeFileSync(file, text);
    closeSync(file);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw unusable(path, codeOf(error));
  }
}

function readPrivate(path: string): string {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  let file: number;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw unusable(path, codeOf(error) === "ELOOP" ? "it is a link" : codeOf(error));
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw unusable(path, "it is no file");
    assertPrivate(path, stats);
    const secret = readFileSync(file, "utf8").trim();
    if (!/^[\w-]{43}$/.test(secret)) throw unusable(path, "it is damaged; delete it and start again");
    return secret;
  } finally {
    closeSync(file);
  }
}

/** Windows has neither user ids nor these modes: there the folder of the user protects what is in it. */
function assertPrivate(path: string, { uid, mode }: Stats): void {
  if (process.getuid === undefined) return;
  if (uid !== process.getuid()) throw unusable(path, "it belongs to another user; delete it and start again");
  if ((mode & 0o077) !== 0) throw unusable(path, "other users can read it; delete it and start again");
}

const unusable = (path: string, why: string): CannotStart =>
  new CannotStart([`${path} cannot be used: ${why}. With JWT_SECRET_KEY no secret for development is needed.`]);
