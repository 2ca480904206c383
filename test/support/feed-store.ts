import { randomUUID } from "node:crypto";
import type {
  FeedEntry,
  LiveEntry,
  Revocation,
  RevocationFeed,
  SessionRow,
  TokenStore,
} from "../../src/stores/contract.ts";
import { EVERYTHING, storeKey, tokenKey } from "../../src/stores/keys.ts";
import { memoryStore } from "../../src/stores/memory.ts";

/** A store in memory that tells what is revoked, and what can become of it. */
export interface FeedStore {
  readonly store: TokenStore & { readonly feed: RevocationFeed };
  /** All that is revoked, and all changes, by partition; to be ill-treated. */
  readonly live: readonly Map<string, LiveEntry>[];
  readonly changes: readonly FeedEntry[][];
  /**
   * Loses the last changes of a partition, as a standby does that was promoted too early. With `isTold` the store finds out
   * and names itself anew.
   */
  rewind(partition: number, by: number, isTold?: boolean): void;
  /** Loses everything, and begins a new life; not in the second of its last epoch, or before it. Answers whether it did. */
  forget(): boolean;
  /** Keeps only the last changes, as a feed of bounded length does. */
  trim(partition: number, to: number): void;
}

/** The contract of `RevocationFeed` on Maps, over the memory store, which stays the judge of what is revoked. */
export function feedStore(clock: () => number, partitions = 1): FeedStore {
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const live = all.map(() => new Map<string, LiveEntry>());
  const changes: FeedEntry[][] = all.map(() => []);
  const seqs = all.map(() => 0);
  const watchers = new Set<(partition: number) => void>();
  let inner = memoryStore({ clock });
  let generation = randomUUID();
  let [created, newest, highest] = [clock(), clock(), clock()];
  let everything = all.map(() => ({ epoch: created, isNew: true }));

  const hinted = new Set<number>();
  function hint(): void {
    for (const partition of hinted) for (const changed of watchers) changed(partition);
    hinted.clear();
  }
  const later = (one: number, other: number | undefined): number => Math.max(one, other ?? 0);
  function tell(partition: number, entry: LiveEntry): void {
    const [held, feed] = [live[partition] as (typeof live)[0], changes[partition] as FeedEntry[]];
    const name = Buffer.from(entry.key).toString("hex");
    const old = held.get(name);
    const whole: LiveEntry =
      entry.kind === "flag" || old?.kind !== "epoch"
        ? { ...entry, until: later(entry.until, old?.until) }
        : { ...entry, until: later(entry.until, old.until), epoch: later(entry.epoch, old.epoch) };
    held.set(name, whole);
    const seq = (seqs[partition] as number) + 1;
    seqs[partition] = seq;
    feed.push({ ...whole, seq });
    if (hinted.size === 0) setImmediate(hint);
    hinted.add(partition);
  }
  const home = (key: Uint8Array): number => (key[0] as number) % partitions;
  const flag = (key: Uint8Array, until: number, where: readonly number[]): void => {
    for (const partition of where) tell(partition, { kind: "flag", key, until });
  };
  const flagSession = (sid: string, until: number): void => {
    const key = storeKey("session", sid);
    flag(key, until, [home(key)]);
  };
  function record(revocation: Revocation): void {
    const { kind, until } = revocation;
    const epoch = Math.max(clock(), newest);
    highest = later(epoch, highest);
    if (kind === "session") flagSession(revocation.sid, until);
    else if (kind === "token") flag(tokenKey(revocation.jti, revocation.issuer), until, all);
    else if (kind === "key") flag(storeKey("key", revocation.kid), until, all);
    else if (kind === "subject") {
      const key = storeKey("subject", revocation.subject);
      tell(home(key), { kind: "epoch", key, epoch, until });
    } else {
      everything = everything.map((old) => ({ epoch: later(epoch, old.epoch), isNew: false }));
      for (const partition of all) tell(partition, { kind: "epoch", key: EVERYTHING, epoch, until });
    }
  }

  const feed: RevocationFeed = {
    partitions,
    async tip(partition) {
      const { epoch, isNew } = everything[partition] as (typeof everything)[0];
      const second = Math.floor(epoch / 1000) - (isNew ? 1 : 0);
      const seq = seqs[partition] as number;
      return { generation, seq, now: clock(), everything: epoch, everythingSecond: second };
    },
    async since(partition, seq, limit) {
      return (changes[partition] ?? []).filter((change) => change.seq > seq).slice(0, limit);
    },
    async live(partition, cursor, limit) {
      const begin = Number(cursor ?? 0);
      const entries = [...(live[partition]?.values() ?? [])].slice(begin, begin + limit);
      const next = begin + entries.length;
      return { entries, next: next < (live[partition]?.size ?? 0) ? String(next) : undefined };
    },
    watch(changed) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
  };
  const keep = (row: SessionRow): SessionRow => {
    newest = later(row.born, newest);
    highest = later(row.born, highest);
    return row;
  };
  const store: FeedStore["store"] = {
    feed,
    open: (session) => keep(inner.open(session) as SessionRow),
    rotate(presented) {
      const rotation = inner.rotate(presented) as Awaited<ReturnType<typeof inner.rotate>>;
      if (rotation.outcome === "reused") flagSession(presented.sid, presented.endedUntil);
      return rotation;
    },
    read: (sid) => inner.read(sid),
    list: (subject) => inner.list(subject),
    touch: (sid) => inner.touch(sid),
    isRevoked: async (query) => inner.isRevoked(query),
    async revoke(revocation) {
      inner.revoke(revocation);
      record(revocation);
    },
    spend: (name, until) => inner.spend(name, until),
    raiseLimits: (limits) => inner.raiseLimits(limits),
    purge: () => inner.purge(),
  };
  return {
    store,
    live,
    changes,
    rewind(partition, by, isTold = false) {
      if (isTold) generation = randomUUID();
      for (const { key } of changes[partition]?.splice(-by) ?? []) {
        live[partition]?.delete(Buffer.from(key).toString("hex"));
        seqs[partition] = (seqs[partition] as number) - 1;
      }
    },
    forget() {
      if (clock() <= highest + 1_000) return false;
      inner = memoryStore({ clock });
      generation = randomUUID();
      created = newest = highest = clock();
      everything = all.map(() => ({ epoch: created, isNew: true }));
      for (const partition of all) {
        live[partition]?.clear();
        changes[partition]?.splice(0);
        seqs[partition] = 0;
      }
      return true;
    },
    trim(partition, to) {
      const feed = changes[partition] as FeedEntry[];
      feed.splice(0, Math.max(0, feed.length - to));
    },
  };
}
