import { withinLimit } from "../internal/time-limit.ts";
import type { RevocationQuery, TokenStore } from "../stores/contract.ts";
import { type ReplicatedStore, replicatedStore } from "../stores/replica/replica.ts";

/** Tells when a session is ended, wherever that happens. */
export interface SessionWatch {
  /** Calls `ended` within a second after what is asked about is revoked. Gives the function that stops it. */
  watch(query: RevocationQuery, ended: () => void): () => void;
}

/** Milliseconds between two looks at the copy of the revocations. */
const LOOK_EVERY = 200;
/** Milliseconds for an answer, where the copy is too old to give it. */
const PATIENCE = 1_000;

/** Follows a store while somebody watches: a copy of its revocations answers for any number of sessions. */
export function watchSessions(store: TokenStore): SessionWatch {
  // Notices go to the manager, which guards by the store itself.
  const { listen: _, ...followed } = store;
  const watchers = new Map<() => void, RevocationQuery>();
  let replica: ReplicatedStore | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let isLooking = false;

  async function isOver(query: RevocationQuery): Promise<boolean> {
    try {
      const asked = Promise.resolve(replica?.isRevoked(query));
      return (await withinLimit(asked, PATIENCE, () => new Error("no answer"))) === true;
    } catch {
      // A store that does not answer has ended nothing.
      return false;
    }
  }
  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    const over = await Promise.all(
      [...watchers].map(async ([ended, query]) => ({ ended, isOver: await isOver(query) })),
    );
    isLooking = false;
    for (const { ended, isOver } of over) if (isOver && watchers.has(ended)) ended();
  }
  return {
    watch(query, ended) {
      if (watchers.size === 0) {
        replica = replicatedStore(followed, { maxStaleness: 1 });
        timer = setInterval(look, LOOK_EVERY);
      }
      watchers.set(ended, query);
      return () => {
        if (!watchers.delete(ended) || watchers.size > 0) return;
        clearInterval(timer);
        replica?.close();
      };
    },
  };
}
