/**
 * Copies a text of Latin-1 characters into memory of its own.
 * A slice keeps the whole text it was cut from alive; what is held for long must not.
 */
export function flatCopy(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
