import type { Scratch } from "./bytes.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const BRACE_END = 0x7d;
const BRACKET_END = 0x5d;
const SPACE = 0x20;

/** What one look over the bytes of a JSON text shows. Only of meaning if the text is valid JSON. */
export interface JsonSurvey {
  /** All bytes are ASCII. */
  readonly ascii: boolean;
  /** How deep objects and arrays are nested; an object without any inside has depth 1. */
  readonly depth: number;
  /** Members of all objects, as written: a repeated name counts each time. */
  readonly members: number;
}

/**
 * Looks over the text of a JSON object in linear time. In valid JSON each colon outside of a string stands for one member.
 */
export function survey(text: Scratch, length: number): JsonSurvey {
  const { bytes } = text;
  let colons = 0;
  let depth = 0;
  let deepest = 0;
  let anyBits = 0;
  for (let i = 0; i < length; i++) {
    let byte = bytes[i] as number;
    if (byte === QUOTE) {
      for (i++; i < length; i++) {
        byte = bytes[i] as number;
        if (byte === QUOTE) break;
        anyBits |= byte;
        if (byte === BACKSLASH) i++;
      }
    } else {
      anyBits |= byte;
      if (byte === COLON) colons++;
      else if (byte === BRACE || byte === BRACKET) {
        if (++depth > deepest) deepest = depth;
      } else if (byte === BRACE_END || byte === BRACKET_END) depth--;
    }
  }
  return { ascii: anyBits < 0x80, depth: deepest, members: colons };
}

/** The same byte in all four places of a word. */
const every = (byte: number): number => Math.imul(byte, 0x01010101);
const ONES = every(0x01);
const HIGH = every(0x80);
const COLONS = every(COLON);
const BRACKETS = every(BRACKET);
const ABOVE_SPACE = every(SPACE + 1);
/** `{` and `[` differ in this bit alone. */
const NOT_CASE = every(0xdf);

/**
 * The quick look at what most claims are: ASCII, written without white space, and flat. Four bytes at a time.
 * Returns an upper bound of the members, which is exact unless a string begins with a colon or holds an escaped quote before one;
 * or -1 if the text may be something else.
 */
export function quickSurvey(text: Scratch, length: number): number {
  const { bytes, words } = text;
  if (length < 4 || bytes[0] !== BRACE) return -1;
  let members = 0;
  let odd = 0;
  for (let i = 1; i < 4; i++) odd |= isOdd(bytes[i] as number);

  // (w - 1s) & ~w has the top bit of a byte set if some byte is zero; with n instead of 1, if some byte is below n.
  const whole = length >> 2;
  for (let i = 1; i < whole; i++) {
    const word = words[i] as number;
    const opening = (word & NOT_CASE) ^ BRACKETS;
    odd |= ((opening - ONES) & ~opening) | ((word - ABOVE_SPACE) & ~word) | word;
    const colon = word ^ COLONS;
    if (((colon - ONES) & ~colon & HIGH) !== 0) {
      const at = i << 2;
      for (let k = at; k < at + 4; k++) if (bytes[k] === COLON && bytes[k - 1] === QUOTE) members++;
    }
  }
  for (let i = 1; i < 4; i++) if (bytes[i] === COLON && bytes[i - 1] === QUOTE) members++;
  for (let i = whole << 2; i < length; i++) {
    odd |= isOdd(bytes[i] as number);
    if (bytes[i] === COLON && bytes[i - 1] === QUOTE) members++;
  }
  return (odd & HIGH) === 0 ? members : -1;
}

function isOdd(byte: number): number {
  return byte <= SPACE || byte >= 0x80 || byte === BRACE || byte === BRACKET ? HIGH : 0;
}
