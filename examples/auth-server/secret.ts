import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CannotStart, type Settings } from "./settings.ts";

const FOLDER = ".jwt-extended";
const FILE = join(FOLDER, "dev-secret");

/** How to make a real secret, for messages. */
export const HOW_TO_MAKE_A_SECRET =
  "Make a secret once with `openssl rand -base64 48`, keep it out of the code, and start with JWT_SECRET_KEY set to it.";

/** What signs the tokens. Those of a development secret carry an issuer of their own, so that no real server takes them. */
export interface Signing {
  readonly secretKey: string;
  readonly issuer: string | undefined;
  /** The file that was used instead of JWT_SECRET_KEY. */
  readonly developmentFile: string | undefined;
}

/**
 * The secret of JWT_SECRET_KEY; without it one made for development, which only programs on this machine get to meet.
 * @throws CannotStart where a development secret would be a danger.
 */
export function chooseSigning({ secretKey, loopback, production }: Settings): Signing {
  if (secretKey !== undefined) return { secretKey, issuer: undefined, developmentFile: undefined };
  if (production)
    throw new CannotStart(`JWT_SECRET_KEY is missing and NODE_ENV is production. ${HOW_TO_MAKE_A_SECRET}`);
  if (!loopback) {
    throw new CannotStart(`JWT_SECRET_KEY is missing and HOST is open to other machines. ${HOW_TO_MAKE_A_SECRET}`);
  }
  return { secretKey: developmentSecret(), issuer: "jwt-extended-dev", developmentFile: FILE };
}

/** Reads the development secret, or makes it. Nobody else on the machine may be able to read or to swap it. */
function developmentSecret(): string {
  try {
    mkdirSync(FOLDER, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw unusable(FOLDER, codeOf(error));
  }
  const folder = lstatSync(FOLDER);
  if (!folder.isDirectory()) throw unusable(FOLDER, "it is no folder");
  assertPrivate(FOLDER, folder);
  writeIfAbsent(join(FOLDER, ".gitignore"), "*\n");
  writeIfAbsent(FILE, `${randomBytes(32).toString("base64url")}\n`);
  return readPrivate(FILE);
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
  new CannotStart(`The development secret in ${path} cannot be used: ${why}. Or set JWT_SECRET_KEY.`);

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? "unknown error");
