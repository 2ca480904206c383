import { createScratch, writeLatin1 } from "./bytes.ts";

/** Room for one text; the longest MAC, of SHA-512, has 86 characters. */
const ROOM = 128;
const { bytes, words } = createScratch(2 * ROOM);

/**
 * Compares a MAC with one that came along, both as base64url text, in a time that depends on their lengths only. The lengths
 * themselves are no secret. Texts longer than any MAC are never equal.
 */
export function equalMac(mine: string, theirs: string): boolean {
  const { length } = mine;
  if (theirs.length !== length || length > ROOM) return false;
  writeLatin1(bytes, mine, 0);
  writeLatin1(bytes, theirs, ROOM);
  let difference = 0;
  const whole = length >> 2;
  for (let i = 0; i < whole; i++) difference |= (words[i] as number) ^ (words[i + ROOM / 4] as number);
  for (let i = whole << 2; i < length; i++) difference |= (bytes[i] as number) ^ (bytes[i + ROOM] as number);
  // Characters were cut to bytes. Who gets as far as the second comparison has the bytes of the right MAC already.
  return difference === 0 && mine === theirs;
}
