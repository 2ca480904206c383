import { randomBytes } from "node:crypto";
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Failure } from "./command.ts";

/** A file to be written. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** Whether only its owner may read it. */
  readonly isPrivate: boolean;
}

/**
 * Writes files, all or none. Without `force` none of them may be there; with it each takes the place of what is there, links
 * included, which are never written through.
 * @throws Failure `file_exists`, `file_unwritable`
 */
export function writeFiles(files: readonly NewFile[], force: boolean): void {
  const done: string[] = [];
  try {
    for (const file of files) {
      writeOne(file, force);
      done.push(file.path);
    }
  } catch (error) {
    // What was there before is gone already where `force` was given: half a pair is still better than none.
    if (!force) for (const path of done) rmSync(path, { force: true });
    throw error;
  }
}

const exists = (path: string): Failure =>
  new Failure("file_exists", `${path} is there already. Name another file with --out, or replace it with --force.`);

function writeOne({ path, text, isPrivate }: NewFile, force: boolean): void {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
  const place = force ? `${path}.${randomBytes(6).toString("hex")}.new` : path;
  try {
    const file = openSync(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, isPrivate ? 0o600 : 0o644);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (force) renameSync(place, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw exists(path);
    if (force) rmSync(place, { force: true });
    throw new Failure("file_unwritable", `${path} cannot be written (${code}). Name another file with --out.`);
  }
}
