/**
 * Freezes plain JSON data to its last level, without recursion. Returns the number of object members found.
 */
export function freezeDeep(root: object): number {
  let members = 0;
  const waiting: object[] = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (Array.isArray(node)) {
      for (const item of node) if (typeof item === "object" && item !== null) waiting.push(item);
    } else {
      const names = Object.keys(node);
      members += names.length;
      for (const name of names) {
        const value = (node as Record<string, unknown>)[name];
        if (typeof value === "object" && value !== null) waiting.push(value);
      }
    }
    Object.freeze(node);
  }
  return members;
}
