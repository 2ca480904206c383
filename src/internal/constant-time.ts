/**
 * Compares two ASCII texts in a time that depends on their lengths only.
 * The lengths themselves are no secret.
 */
export function equalText(a: string, b: string): boolean {
  const length = a.length;
  if (b.length !== length) return false;
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
