import type { ResolvedConfig } from "../config/resolve.ts";
import { keyedDigest } from "../crypto/digest.ts";
import { ConfigError, isJwtError, type JwtError, raise, StoreUnavailableError } from "../errors.ts";
import type { Emitter } from "../events.ts";
import { isThenable } from "../internal/thenable.ts";
import { withinLimit } from "../internal/time-limit.ts";
import type {
  NewSession,
  Presented,
  Revocation,
  RevocationQuery,
  Rotation,
  SessionRow,
  TokenStore,
} from "../stores/contract.ts";
import { isReplica } from "../stores/replica/replica.ts";
import { revisionOf } from "../stores/revision.ts";
import type { MaybePromise } from "../types.ts";

/**
 * The store behind its time limit: whatever it throws, answers late or answers wrongly is `StoreUnavailableError`.
 * Nothing here decides about logins.
 */
export interface StoreCalls {
  /** What of `isRevoked` may be relied on without asking again, see `revisionOf`. */
  revision(): number | undefined;
  /** Whether a token is revoked; an answer that never came is an error. */
  isRevoked(query: RevocationQuery): MaybePromise<boolean | JwtError>;
  /** @throws StoreUnavailableError */
  open(session: NewSession): Promise<SessionRow>;
  /** @throws StoreUnavailableError */
  rotate(presented: Presented): Promise<Rotation>;
  /** @throws StoreUnavailableError */
  read(sid: string): Promise<SessionRow | undefined>;
  /** @throws StoreUnavailableError */
  list(subject: string): Promise<readonly SessionRow[]>;
  /** @throws StoreUnavailableError */
  revoke(revocation: Revocation): Promise<void>;
  /** Takes a name that may be taken once only; false where it is taken. `until` in Unix milliseconds. @throws StoreUnavailableError */
  spend(name: string, until: number): Promise<boolean>;
  /** The secret of the store, the same in every process; `undefined` where it keeps none. @throws StoreUnavailableError */
  secret(): Promise<Uint8Array | undefined>;
  /** Notes that a session is in use, at most once a minute. Nobody waits for it, and it never throws. `now` in milliseconds. */
  touch(sid: string, now: number): void;
  /** The longest lifetimes any process configured, in seconds. @throws StoreUnavailableError */
  limits(): Promise<{ readonly access: number; readonly refresh: number }>;
  /** A keyed hash of an address, the same in every process of the store; `undefined` where the store keeps no secret. */
  hashAddress(address: string): Promise<string | undefined>;
  /** @throws StoreUnavailableError */
  purge(): Promise<number>;
}

const down = (detail: string, cause?: unknown): StoreUnavailableError =>
  new StoreUnavailableError("store_unavailable", { detail, cause });
const failed = (error: unknown): JwtError => (isJwtError(error) ? error : down("the store threw", error));
const NONSENSE = "the store answered nonsense";
/** Milliseconds: how long the limits of other processes may be old. */
const LIMITS_FOR = 60_000;
/** Milliseconds between two notes that a session is in use. */
export const TOUCH_EVERY = 60_000;
/** Sessions whose last note is remembered; beyond, some are noted more often. */
const MAX_TOUCHED = 10_000;

/** Wraps the store of a manager; `undefined` where it has none. */
export function storeCalls(config: ResolvedConfig, events: Emitter): StoreCalls | undefined {
  const { store, storeTimeout, lifetimes } = config;
  if (!store) return undefined;
  store.listen?.((notice, detail) => {
    if (notice === "replicaBehind") events.emit(notice, { detail });
    else events.emit(notice, {});
  });
  let isDown = false;
  const bad = (error: unknown): JwtError => {
    const refusal = failed(error);
    // A store that says that its replicas did not keep up has answered.
    if (refusal.code === "not_durable") return refusal;
    if (!isDown) events.emit("storeDown", { detail: refusal.detail });
    isDown = true;
    return refusal;
  };
  const good = <T>(answer: T): T => {
    if (isDown) {
      isDown = false;
      events.emit("storeBack", {});
    }
    return answer;
  };

  /** Tells how long a call took that has come to an end. */
  const timed = <T>(call: keyof TokenStore, begun: number, outcome: T): T => {
    events.emit("storeCalled", { call, milliseconds: performance.now() - begun, ok: !isJwtError(outcome) });
    return outcome;
  };

  async function call<T>(
    name: keyof TokenStore,
    ask: (store: TokenStore) => MaybePromise<T>,
    isAnswer: (answer: unknown) => boolean,
  ): Promise<T> {
    const begun = performance.now();
    let answer: T;
    try {
      answer = await within(ask(store as TokenStore), storeTimeout);
    } catch (error) {
      return raise(timed(name, begun, bad(error)));
    }
    return isAnswer(answer) ? timed(name, begun, good(answer)) : raise(timed(name, begun, bad(down(NONSENSE))));
  }
  const judge = (answer: unknown): boolean | JwtError =>
    typeof answer === "boolean" ? good(answer) : bad(down(NONSENSE));

  const own = {
    access: lifetimes.access.max || Number.POSITIVE_INFINITY,
    refresh: lifetimes.refresh.max || Number.POSITIVE_INFINITY,
  };
  const touched = new Map<string, number>();
  let secret: Uint8Array | undefined;
  let known = { ...own, at: Number.NEGATIVE_INFINITY };
  const calls: StoreCalls = {
    revision: revisionOf(store),
    isRevoked(query) {
      try {
        const answer = store.isRevoked(query);
        if (isThenable(answer)) {
          const begun = performance.now();
          const late = within(answer, storeTimeout).then(judge, bad);
          return late.then((outcome) => timed("isRevoked", begun, outcome));
        }
        // What a copy in memory knows says nothing about the store behind it.
        return isReplica(store) && typeof answer === "boolean" ? answer : judge(answer);
      } catch (error) {
        return bad(error);
      }
    },
    open: (session) => call("open", (to) => to.open(session), isRow),
    rotate: (presented) => call("rotate", (to) => to.rotate(presented), isRotation),
    read: (sid) =>
      call(
        "read",
        (to) => to.read(sid),
        (row) => row === undefined || isRow(row),
      ),
    list: (subject) =>
      call(
        "list",
        (to) => to.list(subject),
        (rows) => Array.isArray(rows) && rows.every(isRow),
      ),
    revoke: (revocation) =>
      call(
        "revoke",
        (to) => to.revoke(revocation),
        (answer) => answer === undefined,
      ),
    touch(sid, now) {
      // A clock that moved back counts as a new minute.
      if (Math.abs(now - (touched.get(sid) ?? Number.NEGATIVE_INFINITY)) < TOUCH_EVERY) return;
      if (touched.size >= MAX_TOUCHED) touched.clear();
      touched.set(sid, now);
      call(
        "touch",
        (to) => to.touch(sid),
        () => true,
      ).catch(() => {});
    },
    async limits() {
      if (performance.now() - known.at < LIMITS_FOR) return known;
      const highest = await call("raiseLimits", (to) => to.raiseLimits(own), areLimits);
      known = { ...highest, at: performance.now() };
      return known;
    },
    spend: (name, until) =>
      call(
        "spend",
        (to) => to.spend(name, until),
        (answer) => typeof answer === "boolean",
      ),
    async secret() {
      if (!store.secret) return undefined;
      secret ??= await call(
        "secret",
        (to) => to.secret?.() as MaybePromise<Uint8Array>,
        (bytes) => bytes instanceof Uint8Array,
      );
      return secret;
    },
    async hashAddress(address) {
      const key = await calls.secret();
      return key && keyedDigest(key, address);
    },
    purge: () =>
      call(
        "purge",
        (to) => to.purge(),
        (gone) => Number.isInteger(gone),
      ),
  };
  return calls;
}

function isRow(answer: unknown): boolean {
  const row = (answer ?? {}) as Partial<SessionRow>;
  const texts = typeof row.sid === "string" && typeof row.subject === "string";
  return (
    texts && typeof row.absoluteEnd === "number" && Number.isInteger(row.gen) && row.csrfSeed instanceof Uint8Array
  );
}

function isRotation(answer: unknown): boolean {
  const { outcome, row } = (answer ?? {}) as Partial<Rotation>;
  if (outcome === "session_unknown" || outcome === "session_ended") return true;
  return ["rotated", "raced", "healed", "reused"].includes(String(outcome)) && isRow(row);
}

function areLimits(answer: unknown): boolean {
  const { access, refresh } = (answer ?? {}) as { access?: unknown; refresh?: unknown };
  return typeof access === "number" && typeof refresh === "number";
}

/** Waits for an answer, but no longer than `limit` milliseconds. */
export function within<T>(answer: MaybePromise<T> | PromiseLike<T>, limit: number): Promise<T> {
  if (!isThenable(answer)) return Promise.resolve(answer);
  return withinLimit(answer, limit, () => down("no answer within storeTimeout"));
}

/**
 * The store of a manager that needs one for what it was asked to do.
 * @throws ConfigError `store_required`
 */
export function needStore(calls: StoreCalls | undefined, what: string): StoreCalls {
  if (calls) return calls;
  const fault = `${what} needs a store, and this manager has none: it was given store: null or compat, or keys that only verify.`;
  return raise(new ConfigError([fault], "store_required"));
}
