import { writeBase64 } from "./bytes.ts";
import { indexOf, isLatin1 } from "./text.ts";

/** Bytes that `characters` characters of base64 hold at most. */
export function decodedLength(characters: number): number {
  return Math.ceil((characters * 3) / 4);
}

/** Where text ends with two or three characters of four, the last one has four or two bits that hold nothing, and are zero. */
const LAST_OF_TWO = "AQgw";
const LAST_OF_THREE = "AEIMQUYcgkosw048";

/**
 * Decodes canonical, unpadded base64url (RFC 4648 §5, §3.5) into `target` from its first byte on.
 * Returns the number of bytes, or -1 for a foreign character, padding, white space, an impossible length or set unused bits.
 * `target` must hold `decodedLength(text.length)` bytes, and `text` be Latin-1: the decoder cuts characters to a byte.
 */
export function decodeInto(target: Buffer, text: string): number {
  const length = writeBase64(target, text, 0);
  const characters = text.length;
  const rest = characters & 3;
  // The decoder skips what it does not know, so that bytes are missing then, and takes both alphabets.
  if (length !== (characters * 3) >> 2 || rest === 1) return -1;
  if (indexOf(text, "+") >= 0 || indexOf(text, "/") >= 0) return -1;
  if (rest === 0) return length;
  return indexOf(rest === 2 ? LAST_OF_TWO : LAST_OF_THREE, text[characters - 1] as string) >= 0 ? length : -1;
}

/** Decodes canonical, unpadded base64url, `undefined` for anything else. */
export function decode(text: string): Buffer | undefined {
  if (!isLatin1(text)) return undefined;
  const target = Buffer.allocUnsafe(decodedLength(text.length));
  const length = decodeInto(target, text);
  return length < 0 ? undefined : target.subarray(0, length);
}

const room = Buffer.allocUnsafeSlow(4 * 1024);
let view = room;

/** Like `decode`, into shared memory: the bytes hold until the next call. */
export function decodeBriefly(text: string): Buffer | undefined {
  if (decodedLength(text.length) > room.length || !isLatin1(text)) return decode(text);
  const length = decodeInto(room, text);
  if (length < 0) return undefined;
  if (view.length !== length) view = room.subarray(0, length);
  return view;
}

/** Cuts complete `=` padding off; text whose padding is missing or incomplete comes back as it is. */
export function stripPadding(text: string): string {
  if (!text.endsWith("=") || text.length % 4 !== 0) return text;
  const end = text.endsWith("==") ? text.length - 2 : text.length - 1;
  return text.slice(0, end);
}
