/** What the cache must know of each value. It stands in the value, so that a hit touches no other memory. */
export interface Kept {
  readonly bytes: number;
  /** Whether it was read since it last came to the head. For the cache alone; false at first. */
  used: boolean;
}

/** A map that forgets: bounded by the number of its entries and by the bytes its owner says they take. */
export interface BoundedCache<Key, Value extends Kept> {
  readonly size: number;
  readonly bytes: number;
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
  delete(key: Key): void;
}

/**
 * Makes a cache of at most `maxEntries` entries and `maxBytes` bytes.
 * The oldest entry goes first, unless it was read since it last came to the head: then it gets another round.
 */
export function createBoundedCache<Key, Value extends Kept>(
  maxEntries: number,
  maxBytes: number,
): BoundedCache<Key, Value> {
  const entries = new Map<Key, Value>();
  let total = 0;

  function remove(key: Key): void {
    const entry = entries.get(key);
    if (entry === undefined) return;
    total -= entry.bytes;
    entries.delete(key);
  }

  function makeRoom(bytes: number): void {
    // Every turn either removes an entry or clears a mark, so the loop ends after two rounds at most.
    while (entries.size > 0 && (entries.size >= maxEntries || total + bytes > maxBytes)) {
      for (const [key, entry] of entries) {
        if (entry.used) {
          entry.used = false;
          entries.delete(key);
          entries.set(key, entry);
        } else {
          total -= entry.bytes;
          entries.delete(key);
        }
        break;
      }
    }
  }

  return {
    get size() {
      return entries.size;
    },
    get bytes() {
      return total;
    },
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (!entry.used) entry.used = true;
      return entry;
    },
    set(key, value) {
      remove(key);
      if (maxEntries < 1 || value.bytes > maxBytes) return;
      makeRoom(value.bytes);
      entries.set(key, value);
      total += value.bytes;
    },
    delete: remove,
  };
}
