interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
  used: boolean;
}

/** A map that forgets: bounded by the number of its entries and by the bytes its owner says they take. */
export interface BoundedCache<Key, Value> {
  readonly size: number;
  readonly bytes: number;
  get(key: Key): Value | undefined;
  set(key: Key, value: Value, bytes: number): void;
  delete(key: Key): void;
}

/**
 * Makes a cache of at most `maxEntries` entries and `maxBytes` bytes.
 * The oldest entry goes first, unless it was read since it last came to the head: then it gets another round.
 */
export function createBoundedCache<Key, Value>(maxEntries: number, maxBytes: number): BoundedCache<Key, Value> {
  const entries = new Map<Key, Entry<Value>>();
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
      return entry.value;
    },
    set(key, value, bytes) {
      remove(key);
      if (maxEntries < 1 || bytes > maxBytes) return;
      makeRoom(bytes);
      entries.set(key, { value, bytes, used: false });
      total += bytes;
    },
    delete: remove,
  };
}
