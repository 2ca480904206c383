/** Notes what was seen, without keeping it. */
export interface Sightings {
  /** Whether a number was seen before; now it was. Says so of a few that were not, and forgets everything now and then. */
  isSecond(mark: number): boolean;
}

const BITS_EACH = 16;
/** As powers of two: one word of the table at least, 128 KiB at most. */
const LEAST = 5;
const MOST = 20;
/** Spreads neighbouring numbers (the golden ratio of 32 bits). */
const SPREAD = 0x9e3779b1;

/** Makes notes for about `expected` numbers: one bit each, in a table of which no more than an eighth is ever set. */
export function createSightings(expected: number): Sightings {
  const width = Math.min(MOST, Math.max(LEAST, Math.ceil(Math.log2(expected * BITS_EACH))));
  const table = new Uint32Array(2 ** (width - LEAST));
  const most = 2 ** (width - 3);
  let noted = 0;
  return {
    isSecond(mark) {
      const place = Math.imul(mark, SPREAD) >>> (32 - width);
      const word = place >>> LEAST;
      const bit = 1 << (place & 31);
      if (((table[word] as number) & bit) !== 0) return true;
      if (++noted > most) {
        table.fill(0);
        noted = 1;
      }
      table[word] = (table[word] as number) | bit;
      return false;
    },
  };
}
