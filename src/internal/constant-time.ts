import { createScratch, writeLatin1 } from "./bytes.ts";
import { slice } from "./text.ts";

/** Characters that are compared at a time. */
const PIECE = 128;
const { bytes, words } = createScratch(2 * PIECE);

/**
 * Compares two texts in a time that depends on their lengths only. The lengths themselves are no secret.
 */
export function equalText(mine: string, theirs: string): boolean {
  const { length } = mine;
  if (theirs.length !== length) return false;
  let difference = 0;
  for (let from = 0; from < length; from += PIECE) {
    const piece = slice(mine, from, from + PIECE);
    writeLatin1(bytes, piece, 0);
    writeLatin1(bytes, slice(theirs, from, from + PIECE), PIECE);
    const whole = piece.length >> 2;
    for (let i = 0; i < whole; i++) difference |= (words[i] as number) ^ (words[i + PIECE / 4] as number);
    for (let i = whole << 2; i < piece.length; i++) difference |= (bytes[i] as number) ^ (bytes[i + PIECE] as number);
  }
  // Characters were cut to bytes. Who gets as far as the second comparison has all the bytes right already.
  return difference === 0 && mine === theirs;
}
