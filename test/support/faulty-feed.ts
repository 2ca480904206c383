import type { RevocationFeed } from "../../src/stores/contract.ts";

/** The calls of a feed. */
export type FeedCall = "tip" | "since" | "live";

/** What is wrong with the way to a feed; all may be changed while it is followed. */
export interface FeedFaults {
  /** Every call fails. */
  isCut: boolean;
  /** No call is answered, ever. */
  isHung: boolean;
  /** Milliseconds before a question arrives, and again before its answer does. */
  delay: number;
  /** No hints come through. */
  isSilent: boolean;
  /** Changes an answer on its way. */
  bend: ((call: FeedCall, answer: never) => unknown) | undefined;
  /** How often each was asked. */
  readonly asked: Record<FeedCall, number>;
}

/** A feed behind a way that is not to be relied on. */
export function faultyFeed(feed: RevocationFeed): { readonly feed: RevocationFeed; readonly faults: FeedFaults } {
  const asked = { tip: 0, since: 0, live: 0 };
  const faults: FeedFaults = { isCut: false, isHung: false, delay: 0, isSilent: false, bend: undefined, asked };
  const late = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, faults.delay));
  async function ask<T>(call: FeedCall, question: () => Promise<T>): Promise<T> {
    asked[call]++;
    if (faults.isCut) throw new Error("the way to the store is cut");
    if (faults.isHung) return new Promise(() => {});
    if (faults.delay > 0) await late();
    const answer = await question();
    if (faults.delay > 0) await late();
    return (faults.bend ? faults.bend(call, structuredClone(answer) as never) : answer) as T;
  }
  return {
    faults,
    feed: {
      partitions: feed.partitions,
      tip: (partition) => ask("tip", () => feed.tip(partition)),
      since: (partition, seq, limit) => ask("since", () => feed.since(partition, seq, limit)),
      live: (partition, cursor, limit) => ask("live", () => feed.live(partition, cursor, limit)),
      watch: (changed) =>
        feed.watch?.((partition) => {
          if (!faults.isSilent && !faults.isCut && !faults.isHung) changed(partition);
        }) ?? (() => {}),
    },
  };
}
