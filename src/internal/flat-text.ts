import { readLatin1, writeLatin1 } from "./bytes.ts";

const room = Buffer.allocUnsafeSlow(8 * 1024);

/**
 * Copies a text of Latin-1 characters into memory of its own.
 * A slice keeps the whole text it was cut from alive; what is held for long must not.
 */
export function flatCopy(text: string): string {
  const target = text.length <= room.length ? room : Buffer.allocUnsafe(text.length);
  return readLatin1(target, 0, writeLatin1(target, text, 0));
}
