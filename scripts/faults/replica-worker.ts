// A child process: follows a store with a copy of its revocations, and asks a guard about tokens without pause.
import { type RevocationFeed, replicatedStore } from "../../src/index.ts";
import { openStore, type Place } from "./places.ts";
import { answer, bringing, makeManager } from "./tokens.ts";

/** What a follower is told at its start. */
export interface Following {
  readonly place: Place;
  /** Seconds. */
  readonly maxStaleness: number;
  /** Whether the feed loses, repeats and turns around changes on its way. */
  readonly isBent: boolean;
}

/** What became of a token, in milliseconds of Unix time at which a check began. */
export interface Sight {
  accepted?: number;
  refused?: number;
}

/** What a follower has seen. */
export interface Sights {
  readonly sights: Readonly<Record<string, Sight>>;
  readonly isFresh: boolean;
  readonly resyncs: number;
  readonly entries: number;
  /** Questions that the store was asked. */
  readonly asked: number;
  /** Checks that were answered 503. */
  readonly unavailable: number;
  readonly unhandled: number;
}

/** Milliseconds between checks of a token, between those of one that was refused, and between reports. */
const [EVERY, EVERY_REFUSED, REPORT_EVERY] = [2, 250, 50];

const { place, maxStaleness, isBent } = JSON.parse(process.argv[2] ?? "") as Following;
const sights: Record<string, Sight> = {};
let [unavailable, unhandled] = [0, 0];
process.on("unhandledRejection", () => {
  unhandled++;
});

function bent(feed: RevocationFeed): RevocationFeed {
  return {
    ...feed,
    async since(partition, seq, limit) {
      const changes = await feed.since(partition, seq, limit);
      const chance = Math.random();
      if (chance < 0.1) return changes.toReversed();
      if (chance < 0.2) return changes.slice(1);
      if (chance < 0.3) return changes.flatMap((change) => [change, change]);
      return chance < 0.6 ? changes.slice(0, 1) : changes;
    },
  };
}

const { store } = openStore(place);
const feed = isBent && store.feed ? bent(store.feed) : store.feed;
const replica = replicatedStore({ ...store, feed }, { maxStaleness });
const manager = makeManager(replica);

async function check(name: string, token: string): Promise<void> {
  const sight = sights[name] as Sight;
  const begun = performance.timeOrigin + performance.now();
  const { code } = await answer(() => manager.verifyRequest(bringing(token)).then(() => undefined));
  if (code === "ok") sight.accepted = begun;
  else if (code === "token_revoked") sight.refused ??= begun;
  else unavailable++;
  setTimeout(check, sight.refused === undefined ? EVERY : EVERY_REFUSED, name, token);
}

process.on("message", (tokens: Readonly<Record<string, string>>) => {
  for (const [name, token] of Object.entries(tokens)) {
    sights[name] = {};
    check(name, token);
  }
});
process.once("disconnect", () => process.exit(0));
setInterval(() => {
  const { entries, asked, partitions } = replica.status();
  const resyncs = partitions.reduce((sum, partition) => sum + partition.resyncs, 0);
  process.send?.({
    sights,
    isFresh: replica.isFresh,
    resyncs,
    entries,
    asked,
    unavailable,
    unhandled,
  } satisfies Sights);
}, REPORT_EVERY);
