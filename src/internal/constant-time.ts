import { charCodeAt } from "./text.ts";

/**
 * Compares two texts in a time that depends on their lengths only. The lengths themselves are no secret.
 */
export function equalText(mine: string, theirs: string): boolean {
  const { length } = mine;
  if (theirs.length !== length) return false;
  let difference = 0;
  for (let at = 0; at < length; at++) difference |= charCodeAt(mine, at) ^ charCodeAt(theirs, at);
  return difference === 0;
}
