import type { AuditEntry, AuditStore } from "../accounts/audit.ts";

/** An audit trail that tells of new entries. */
export interface AuditFeed {
  /** Where entries are to be written. */
  readonly store: AuditStore;
  /** Hears of each entry once, those of other processes within a second or two. Gives the function that stops it. */
  listen(listener: (entry: AuditEntry) => void): () => void;
}

const LOOK_EVERY = 1_000;
/** Entries that are read at a look: of more than that by other processes in a second the rest is not told. */
const PAGE = 100;
/** Entries that are remembered, so that none is told twice. */
const KEPT = 20 * PAGE;

/** Follows the trail while somebody listens. */
export function createAuditFeed(store: AuditStore): AuditFeed {
  const listeners = new Set<(entry: AuditEntry) => void>();
  const told = new Set<string>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let isSeen = false;

  function tell(entry: AuditEntry, isNews: boolean): void {
    if (listeners.size === 0 || told.has(entry.id)) return;
    told.add(entry.id);
    for (const id of told) {
      if (told.size <= KEPT) break;
      told.delete(id);
    }
    if (isNews) for (const listener of listeners) listener(entry);
  }
  async function look(): Promise<void> {
    try {
      const entries = await store.find({ limit: PAGE });
      // What was there before the first look is no news.
      for (const entry of [...entries].reverse()) tell(entry, isSeen);
      isSeen = true;
    } catch {
      // The next look may find the database again; whoever asks a route is told that it is down.
    }
  }
  return {
    store: {
      async add(entry) {
        await store.add(entry);
        tell(entry, true);
      },
      find: (query) => store.find(query),
    },
    listen(listener) {
      if (listeners.size === 0) {
        isSeen = false;
        timer = setInterval(look, LOOK_EVERY);
        void look();
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) clearInterval(timer);
      };
    },
  };
}
