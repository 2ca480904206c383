/** Calls back when a number has changed since the last look at it. Answers the function that ends it. */
export function lookEvery(milliseconds: number, read: () => unknown, changed: () => void): () => void {
  let last: unknown;
  let isLooking = false;
  let isOver = false;
  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      const next = await read();
      if (last !== undefined && next !== last && !isOver) changed();
      last = next;
    } catch {
      // Busy, down or closed: the next look may see it.
    } finally {
      isLooking = false;
    }
  }
  void look();
  const timer = setInterval(look, milliseconds).unref();
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}
