import type { FeedEntry, LiveEntry, Revocation, RevocationFeed, TokenStore } from "../stores/contract.ts";
import { EVERYTHING, storeKey, tokenKey } from "../stores/keys.ts";
import type { FakeClock } from "./clock.ts";
import { type AddCase, about, expect, later, login, presented } from "./store-cases.ts";

type FeedCase = (feed: RevocationFeed, store: TokenStore, clock: FakeClock) => Promise<void>;

const hex = (key: Uint8Array): string => Buffer.from(key).toString("hex");
const keysOf = (entries: readonly LiveEntry[]): Set<string> => new Set(entries.map(({ key }) => hex(key)));
const token = (jti: string, until: number): Revocation => ({ kind: "token", jti, issuer: undefined, until });
const partitions = (feed: RevocationFeed): number[] => Array.from({ length: feed.partitions }, (_, at) => at);

const tips = (feed: RevocationFeed) => Promise.all(partitions(feed).map((partition) => feed.tip(partition)));

/** What came after these tips, each partition's read to its end; the numbers are checked on the way. */
async function after(feed: RevocationFeed, from: readonly { readonly seq: number }[]): Promise<FeedEntry[]> {
  const found: FeedEntry[] = [];
  for (const partition of partitions(feed)) {
    let seq = (from[partition] as { readonly seq: number }).seq;
    const end = (await feed.tip(partition)).seq;
    while (seq < end) {
      const entries = await feed.since(partition, seq, 7);
      expect("entries after a number below the tip", entries.length > 0 && entries.length <= 7, true);
      for (const entry of entries) {
        expect("number", entry.seq, seq + 1);
        seq = entry.seq;
        found.push(entry);
      }
    }
    expect("number at the end", seq, end);
    expect("after the end", (await feed.since(partition, end, 7)).length, 0);
  }
  return found;
}

/** All that is revoked, read in small pages. */
async function live(feed: RevocationFeed): Promise<LiveEntry[]> {
  const found: LiveEntry[] = [];
  for (const partition of partitions(feed)) {
    let cursor: string | undefined;
    do {
      const page = await feed.live(partition, cursor, 3);
      expect("length of a page", page.entries.length <= 3, true);
      found.push(...page.entries);
      cursor = page.next;
    } while (cursor !== undefined);
  }
  return found;
}

/** Revocations of each kind, and the keys under which they are told. */
function revocations(count: number, clock: FakeClock): { all: Revocation[]; keys: Set<string> } {
  const until = later(clock);
  const keys: Uint8Array[] = [];
  const all = Array.from({ length: count }, (_, at): Revocation => {
    const name = `name-${at}`;
    if (at === count - 1) keys.push(EVERYTHING);
    else if (at % 5 === 0) keys.push(storeKey("session", name));
    else if (at % 5 === 1) keys.push(storeKey("subject", name));
    else if (at % 5 === 2) keys.push(storeKey("key", name));
    else keys.push(tokenKey(name, at % 5 === 3 ? "else" : undefined));
    if (at === count - 1) return { kind: "everything", until };
    if (at % 5 === 0) return { kind: "session", sid: name, until };
    if (at % 5 === 1) return { kind: "subject", subject: name, until };
    if (at % 5 === 2) return { kind: "key", kid: name, until };
    return { kind: "token", jti: name, issuer: at % 5 === 3 ? "else" : undefined, until };
  });
  return { all, keys: keysOf(keys.map((key) => ({ kind: "flag", key, until }))) };
}

function holds(what: string, keys: ReadonlySet<string>, wanted: ReadonlySet<string>): void {
  const missing = [...wanted].filter((key) => !keys.has(key)).length;
  if (missing > 0) throw new Error(`${what}: ${missing} of ${wanted.size} are missing`);
}

/** The cases about telling what is revoked. A store that has no feed passes them. */
export function feedCases(addCase: AddCase): void {
  const add = (name: string, body: FeedCase): void =>
    addCase(name, async (store, clock) => {
      if (store.feed) await body(store.feed, store, clock);
    });

  add("the feed numbers every change without a hole, fifty at once", async (feed, store, clock) => {
    const before = await tips(feed);
    const { all, keys } = revocations(50, clock);
    await Promise.all(all.map((revocation) => store.revoke(revocation)));
    const entries = await after(feed, before);
    holds("told", keysOf(entries), keys);
    for (const { kind, until } of entries) {
      expect("kind", kind === "flag" || kind === "epoch", true);
      expect("kept", until >= later(clock), true);
    }
    const epochs = entries.filter(({ kind }) => kind === "epoch");
    expect("subjects and everything", keysOf(epochs).size, 11);
  });
  add(
    "the pages of the feed hold all that is revoked, and what comes after continues there",
    async (feed, store, clock) => {
      const [first, second] = [revocations(23, clock), revocations(33, clock)];
      for (const revocation of first.all) await store.revoke(revocation);
      const start = await tips(feed);
      const pages = live(feed);
      await Promise.all(second.all.slice(22).map((revocation) => store.revoke(revocation)));
      const known = keysOf(await pages);
      holds("revoked before", known, first.keys);
      for (const key of keysOf(await after(feed, start))) known.add(key);
      holds("revoked before and since", known, second.keys);
      holds("live in the end", keysOf(await live(feed)), second.keys);
    },
  );
  add("the tip of the feed names the store, its time and the end of everything", async (feed, store, clock) => {
    const iat = Math.floor(clock() / 1000);
    for (const tip of await tips(feed)) {
      expect("time", tip.now, clock());
      expect("number", tip.seq, 0);
      expect("dead", await store.isRevoked(about("alice", { iat: tip.everythingSecond })), true);
      expect("alive", await store.isRevoked(about("alice", { iat: tip.everythingSecond + 1 })), false);
    }
    const before = await tips(feed);
    const { born } = await store.open(login("alice", clock));
    await store.revoke({ kind: "everything", until: later(clock) });
    clock.advance(1);
    for (const [partition, tip] of (await tips(feed)).entries()) {
      expect("generation", tip.generation, before[partition]?.generation);
      expect("time", tip.now, clock());
      expect("everything", tip.everything >= born, true);
      expect("its second", tip.everythingSecond, Math.floor(tip.everything / 1000));
      expect("dead", await store.isRevoked(about("alice", { iat })), true);
    }
  });
  add("asking, logging in and refreshing are no changes of the feed", async (feed, store, clock) => {
    const before = await tips(feed);
    const { sid } = await store.open(login("alice", clock));
    await store.rotate(presented(sid, 0, clock));
    await store.rotate(presented(sid, 0, clock));
    await store.spend("a name", later(clock));
    await store.isRevoked(about("alice", { sid }));
    await store.touch(sid);
    await tips(feed);
    expect("entries", (await after(feed, before)).length, 0);
  });
  add("theft that a refresh token gives away is told by the feed", async (feed, store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    await store.rotate(presented(sid, 0, clock));
    const before = await tips(feed);
    clock.advance(11);
    const call = presented(sid, 0, clock);
    expect("outcome", (await store.rotate(call)).outcome, "reused");
    const entries = await after(feed, before);
    expect("entries", [...keysOf(entries)].join(), hex(storeKey("session", sid)));
    expect("kept", entries[0]?.until, call.endedUntil);
  });
  add("the feed tells a revocation as it stands: never shorter, never lower", async (feed, store, clock) => {
    const before = await tips(feed);
    const until = clock() + 900_000;
    await store.revoke(token("one", until));
    await store.revoke(token("one", until - 1_000));
    await store.revoke(token("for-ever", Number.POSITIVE_INFINITY));
    await store.revoke({ kind: "subject", subject: "alice", until });
    const { born } = await store.open(login("alice", clock));
    clock.advance(-30);
    await store.revoke({ kind: "subject", subject: "alice", until: until - 1_000 });
    const entries = await after(feed, before);
    const of = (key: Uint8Array) => entries.filter((entry) => hex(entry.key) === hex(key));
    // Every partition tells of a token.
    const one = of(storeKey("token", "one"));
    expect("one, twice", one.length, 2 * feed.partitions);
    expect("one", one.map((entry) => entry.until).join(), one.map(() => until).join());
    expect("for ever", of(storeKey("token", "for-ever"))[0]?.until, Number.POSITIVE_INFINITY);
    const [, last] = of(storeKey("subject", "alice"));
    expect("kept", last?.until, until);
    expect("epoch", last?.kind === "epoch" && last.epoch >= born, true);
  });
  add("what may go leaves the pages of the feed, and no number changes", async (feed, store, clock) => {
    await store.revoke(token("short", clock() + 1_000));
    await store.revoke(token("long", later(clock)));
    const before = await tips(feed);
    clock.advance(2);
    await store.purge();
    const left = keysOf(await live(feed));
    expect("gone", left.has(hex(storeKey("token", "short"))), false);
    expect("kept", left.has(hex(storeKey("token", "long"))), true);
    await store.revoke(token("next", later(clock)));
    expect("next", [...keysOf(await after(feed, before))].join(), hex(storeKey("token", "next")));
  });
  add("whoever watches the feed is called soon after a change, until they stop", async (feed, store, clock) => {
    if (!feed.watch) return;
    const called: number[] = [];
    const stop = feed.watch((partition) => called.push(partition));
    // The listener may still be on its way to the server: a change is made until one is heard.
    for (let tries = 0; called.length === 0 && tries < 100; tries++) {
      await store.revoke(token(`try-${tries}`, later(clock)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    stop();
    expect("called", called.length > 0, true);
    for (const partition of called) expect("partition", partition >= 0 && partition < feed.partitions, true);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const heard = called.length;
    await store.revoke(token("unheard", later(clock)));
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect("called after the end", called.length, heard);
  });
}
