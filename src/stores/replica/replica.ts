import { ConfigError, isJwtError, StoreUnavailableError } from "../../errors.ts";
import { parseDuration } from "../../internal/duration.ts";
import type { Duration } from "../../types.ts";
import type { Revocation, Rotation, StoreNotice, TokenStore } from "../contract.ts";
import { storeKey, tokenKey } from "../keys.ts";
import { keepRevision } from "../revision.ts";
import { type Follower, follow, type PartitionStatus } from "./follow.ts";
import { elapsed, type Moment, moment } from "./moment.ts";
import { questionsTo } from "./questions.ts";
import { Revoked } from "./revoked.ts";

export type { PartitionStatus } from "./follow.ts";

/** Settings of `replicatedStore`. */
export interface ReplicaOptions {
  /**
   * How old the copy may be while a token is let in without asking the store, 1 to 60 seconds: so long a revocation by
   * another process may take at most. @default "5s"
   */
  readonly maxStaleness?: Duration | undefined;
}

/** What a copy tells of itself. */
export interface ReplicaStatus {
  /** Revocations that it holds, with some that may go and are not yet swept out. */
  readonly entries: number;
  /** Bytes that these take. */
  readonly bytes: number;
  /** Milliseconds by which it may be behind the store; `Infinity` before all is read for the first time. */
  readonly stalenessMs: number;
  /** Whether the store is asked about tokens that are not known to be revoked. */
  readonly behind: boolean;
  /** How far each feed is followed. A store has one, unless it is divided. */
  readonly partitions: readonly PartitionStatus[];
  /** Questions that were sent to the store. */
  readonly asked: number;
}

/** A store with a copy of its revocations in this process. */
export interface ReplicatedStore extends TokenStore {
  /** Whether the copy is young enough to be relied on: for the check by which a load balancer learns who is ready. */
  readonly isFresh: boolean;
  /** Resolves when the copy is there for the first time. @throws ConfigError where the store cannot work; StoreUnavailableError where it was closed */
  ready(): Promise<void>;
  /** Numbers for a dashboard. */
  status(): ReplicaStatus;
  /** Follows no longer: the store is asked about every token from now on. It stays open. */
  close(): void;
}

/** Milliseconds between questions for the end of a feed. */
const ASK_EVERY = 1_000;

const replicas = new WeakSet<TokenStore>();

/** Whether a store answers from a copy, so that an answer says nothing about the store behind it. */
export function isReplica(store: TokenStore): store is ReplicatedStore {
  return replicas.has(store);
}

/**
 * Keeps the live revocations of a store in this process, so that guards need not ask it at each request. It fills itself
 * at once, follows the store's feed, and asks the store wherever it cannot be sure: before it is filled, and when it is
 * older than `maxStaleness`. All else goes to the store.
 *
 * @throws ConfigError for a store without a feed, such as one in memory, and for a bound outside of 1 to 60 seconds
 * @example
 * const store = replicatedStore(postgresStore({ pool }));
 * const jwt = new JWTManager({ secretKey, store });
 * await store.ready();
 */
export function replicatedStore(store: TokenStore, options: ReplicaOptions = {}): ReplicatedStore {
  const maxStaleness = (parseDuration(options.maxStaleness ?? 5) ?? Number.NaN) * 1000;
  const { feed } = store;
  const faults: string[] = [];
  if (!feed)
    faults.push("replicatedStore needs a store that tells what is revoked: one in SQLite, PostgreSQL, MySQL or Redis.");
  if (!(maxStaleness >= 1_000 && maxStaleness <= 60_000))
    faults.push('maxStaleness must be 1 to 60 seconds, such as "5s".');
  if (!feed || faults.length > 0) throw new ConfigError(faults);

  const revoked = new Revoked(feed.partitions);
  const questions = questionsTo(store, maxStaleness);
  let notify: (notice: StoreNotice, detail?: string) => void = () => {};
  let told: StoreNotice | undefined;
  let isClosed = false;
  const waiting: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  /** When this process last revoked what only the feed can tell exactly (monotonic): older answers do not hold it. */
  let needs = Number.NEGATIVE_INFINITY;

  /** How old the copy may be, in milliseconds: as old as the oldest of its feeds. */
  function staleness(now: Moment): number {
    let oldest = 0;
    for (const { freshAt } of followers) {
      oldest = Math.max(oldest, freshAt ? elapsed(freshAt, now) : Number.POSITIVE_INFINITY);
    }
    return oldest;
  }

  /** Whether the copy can be relied on. Computed at each check: a timer may come too late. */
  function isYoung(now: Moment): boolean {
    const young = staleness(now) <= maxStaleness;
    const notice = young ? "replicaFresh" : "replicaBehind";
    if (notice === told) return young;
    const { fault } = followers.find((follower) => follower.fault !== undefined) ?? {};
    // Who has just started is not behind, unless something is wrong.
    if (young || told !== undefined || fault !== undefined) {
      told = notice;
      notify(notice, young ? undefined : describe(fault));
    }
    return young;
  }

  function afterRound({ fault }: Follower): void {
    if (isYoung(moment())) for (const { resolve } of waiting.splice(0)) resolve();
    if (fault instanceof ConfigError) for (const { reject } of waiting.splice(0)) reject(fault);
    revoked.sweep(Math.min(...followers.map(({ storeTime }) => storeTime ?? 0)));
  }

  const interval = Math.min(ASK_EVERY, maxStaleness / 4);
  const followers: readonly Follower[] = Array.from({ length: feed.partitions }, (_, partition) =>
    follow({ feed, partition, revoked, interval, told: afterRound }),
  );
  const unwatch = feed.watch?.((partition) => followers[partition]?.hint());
  store.listen?.((notice, detail) => notify(notice, detail));

  function learn(revocation: Revocation): void {
    const { kind, until } = revocation;
    if (kind === "token") revoked.flag(tokenKey(revocation.jti, revocation.issuer), until);
    else if (kind === "session") revoked.flag(storeKey("session", revocation.sid), until);
    else if (kind === "key") revoked.flag(storeKey("key", revocation.kid), until);
    else {
      // The epoch is a moment of the store's clock, which the feed tells. Until then the store is asked.
      needs = performance.now();
      questions.forget();
      for (const follower of followers) follower.ask();
    }
  }

  /** Whether what is not known to be revoked is not. */
  const isComplete = (now: Moment): boolean =>
    isYoung(now) && followers.every(({ freshAt }) => freshAt !== undefined && freshAt.monotonic > needs);

  const replica: ReplicatedStore = {
    isRevoked(query) {
      if (revoked.has(query)) return true;
      const now = moment();
      return isComplete(now) ? false : questions.ask(query, now);
    },
    async revoke(revocation) {
      await store.revoke(revocation);
      learn(revocation);
    },
    async rotate(presented): Promise<Rotation> {
      const rotation = await store.rotate(presented);
      if (rotation.outcome === "reused") learn({ kind: "session", sid: presented.sid, until: presented.endedUntil });
      return rotation;
    },
    open: (session) => store.open(session),
    read: (sid) => store.read(sid),
    list: (subject) => store.list(subject),
    touch: (sid) => store.touch(sid),
    spend: (name, until) => store.spend(name, until),
    raiseLimits: (limits) => store.raiseLimits(limits),
    ...(store.secret && { secret: store.secret.bind(store) }),
    purge: () => store.purge(),
    listen(listener) {
      notify = listener;
    },
    get isFresh() {
      return isYoung(moment());
    },
    ready: () =>
      new Promise((resolve, reject) => {
        if (isClosed) reject(closed());
        else if (isYoung(moment())) resolve();
        else waiting.push({ resolve, reject });
      }),
    status() {
      const now = moment();
      const partitions = followers.map(({ status }) => status);
      return {
        entries: revoked.entries,
        bytes: revoked.bytes,
        stalenessMs: staleness(now),
        behind: !isYoung(now),
        partitions,
        asked: questions.asked,
      };
    },
    close() {
      isClosed = true;
      unwatch?.();
      for (const follower of followers) follower.close();
      for (const { reject } of waiting.splice(0)) reject(closed());
    },
  };
  replicas.add(replica);
  keepRevision(replica, () => (isComplete(moment()) ? revoked.revision : undefined));
  return replica;
}

const closed = (): Error => new StoreUnavailableError("store_unavailable", { detail: "the replica is closed" });

function describe(fault: unknown): string {
  if (isJwtError(fault)) return fault.detail ?? fault.message;
  // An error of a driver may be long, and is not ours.
  return fault instanceof Error ? fault.message.slice(0, 200) : "no answer of the feed is young enough";
}
