/**
 * `text.charCodeAt(…)`, `text.indexOf(…)` and `text.slice(…)` for the paths that every request takes. As methods they are compiled in place only as long as
 * nobody has made a subclass of `String`, which the Redis clients do (for RESP3); then each call takes twice to ten times as long.
 */
const direct = Function.prototype.call;

/** `text.charCodeAt(at)`. */
export const charCodeAt: (text: string, at: number) => number = direct.bind(String.prototype.charCodeAt);

/** `text.indexOf(part, from)`. */
export const indexOf: (text: string, part: string, from?: number) => number = direct.bind(String.prototype.indexOf);

/** `text.slice(start, end)`. */
export const slice: (text: string, start: number, end?: number) => string = direct.bind(String.prototype.slice);

const wide = /[\u0100-\uffff]/;

/** Whether no character is above U+00FF. V8 keeps such text as bytes and knows it without a look at them. */
export function isLatin1(text: string): boolean {
  return !wide.test(text);
}
