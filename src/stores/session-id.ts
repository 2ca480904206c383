import { randomBytes } from "node:crypto";
import { charCodeAt } from "../internal/text.ts";

/** base64url of the birth as 48-bit milliseconds and 16 random bytes. */
export function newSessionId(born: number): string {
  const id = randomBytes(22);
  id.writeUIntBE(born, 0, 6);
  return id.toString("base64url");
}

/** The six bits that each character of base64url stands for; -1 for all others. */
const DIGITS = new Int8Array(128).fill(-1);
const ABC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
for (let digit = 0; digit < 64; digit++) DIGITS[ABC.charCodeAt(digit)] = digit;
const LENGTH = 30;
const BIRTH_LENGTH = 8;

/** The birth of a session in milliseconds, read from its id; `undefined` for text that is no session id. */
export function sessionBirth(sid: string): number | undefined {
  if (sid.length !== LENGTH) return undefined;
  let birth = 0;
  let signs = 0;
  let digit = 0;
  for (let at = 0; at < LENGTH; at++) {
    digit = DIGITS[charCodeAt(sid, at)] ?? -1;
    signs |= digit;
    if (at < BIRTH_LENGTH) birth = birth * 64 + digit;
  }
  // 22 bytes are 29 and a third characters: the last of 30 has four bits that must be zero.
  return signs < 0 || (digit & 15) !== 0 ? undefined : birth;
}
