/** The methods that `write` and `toString` of a Buffer choose from by the name of the encoding, which costs as much as the work. */
interface DirectMethods {
  latin1Write(text: string, offset: number): number;
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number): number;
  base64urlWrite(text: string, offset: number): number;
  base64urlSlice(start: number, end: number): string;
}

type Direct = Buffer & DirectMethods;

const NAMES = ["latin1Write", "latin1Slice", "utf8Write", "base64urlWrite", "base64urlSlice"];
const hasDirect = NAMES.every(
  (name) => typeof (Buffer.prototype as unknown as Record<string, unknown>)[name] === "function",
);

/** Writes text, one byte for each character, from `offset` on; characters above U+00FF are cut. Returns the bytes written. */
export const writeLatin1: (target: Buffer, text: string, offset: number) => number = hasDirect
  ? (target, text, offset) => (target as Direct).latin1Write(text, offset)
  : (target, text, offset) => target.write(text, offset, "latin1");

/** Reads bytes as text of one character each. */
export const readLatin1: (source: Buffer, start: number, end: number) => string = hasDirect
  ? (source, start, end) => (source as Direct).latin1Slice(start, end)
  : (source, start, end) => source.toString("latin1", start, end);

/** Writes text as UTF-8 from `offset` on. Returns the bytes written. */
export const writeUtf8: (target: Buffer, text: string, offset: number) => number = hasDirect
  ? (target, text, offset) => (target as Direct).utf8Write(text, offset)
  : (target, text, offset) => target.write(text, offset, "utf8");

/** Decodes base64 leniently from `offset` on. Returns the bytes written. */
export const writeBase64: (target: Buffer, text: string, offset: number) => number = hasDirect
  ? (target, text, offset) => (target as Direct).base64urlWrite(text, offset)
  : (target, text, offset) => target.write(text, offset, "base64url");

/** Encodes bytes as unpadded base64url. */
export const readBase64url: (source: Buffer, start: number, end: number) => string = hasDirect
  ? (source, start, end) => (source as Direct).base64urlSlice(start, end)
  : (source, start, end) => source.toString("base64url", start, end);

/** Memory to work in, seen as bytes and as words of four bytes. */
export interface Scratch {
  readonly bytes: Buffer;
  readonly words: Int32Array;
}

/** Makes memory for at least `size` bytes, of its own. */
export function createScratch(size: number): Scratch {
  const bytes = Buffer.allocUnsafeSlow(Math.ceil(size / 4) * 4);
  return { bytes, words: new Int32Array(bytes.buffer, 0, bytes.length / 4) };
}

/**
 * Makes a function that writes text of one byte a character into memory of its own and gives a view of its first `length` characters,
 * which holds until the next call. Views of one length are shared: to make one costs as much as to fill it.
 */
export function createLatin1Room(size: number): (text: string, length: number) => Buffer {
  let room: Buffer = Buffer.allocUnsafeSlow(size);
  let view = room;
  return (text, length) => {
    if (text.length > room.length) view = room = Buffer.allocUnsafeSlow(text.length * 2);
    if (view.length !== length) view = room.subarray(0, length);
    writeLatin1(room, text, 0);
    return view;
  };
}
