import type { ResolvedConfig } from "../config/resolve.ts";
import { keyedDigest } from "../crypto/digest.ts";
import { ConfigError, isJwtError, type JwtError, raise, StoreUnavailableError } from "../errors.ts";
import type { Emitter } from "../events.ts";
import { isThenable } from "../internal/thenable.ts";
import type {
  NewSession,
  Presented,
  Revocation,
  RevocationQuery,
  Rotation,
  SessionRow,
  TokenStore,
} from "../stores/contract.ts";
import type { MaybePromise } from "../types.ts";

/**
 * The store behind its time limit: whatever it throws, answers late or answers wrongly is `StoreUnavailableError`.
 * Nothing here decides about logins.
 */
export interface StoreCalls {
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
const TOUCH_EVERY = 60_000;
/** Sessions whose last note is remembered; beyond, some are noted more often. */
const MAX_TOUCHED = 10_000;

/** Wraps the store of a manager; `undefined` where it has none. */
export function storeCalls(config: ResolvedConfig, events: Emitter): StoreCalls | undefined {
  const { store, storeTimeout, lifetimes } = config;
  if (!store) return undefined;
  store.listen?.((notice) => events.emit(notice, {}));
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

  async function call<T>(
    ask: (store: TokenStore) => MaybePromise<T>,
    isAnswer: (answer: unknown) => boolean,
  ): Promise<T> {
    let answer: T;
    try {
      answer = await within(ask(store as TokenStore), storeTimeout);
    } catch (error) {
      return raise(bad(error));
    }
    return isAnswer(answer) ? good(answer) : raise(bad(down(NONSENSE)));
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
    isRevoked(query) {
      try {
        const answer = store.isRevoked(query);
        return isThenable(answer) ? within(answer, storeTimeout).then(judge, bad) : judge(answer);
      } catch (error) {
        return bad(error);
      }
    },
    open: (session) => call((to) => to.open(session), isRow),
    rotate: (presented) => call((to) => to.rotate(presented), isRotation),
    read: (sid) =>
      call(
        (to) => to.read(sid),
        (row) => row === undefined || isRow(row),
      ),
    list: (subject) =>
      call(
        (to) => to.list(subject),
        (rows) => Array.isArray(rows) && rows.every(isRow),
      ),
    revoke: (revocation) =>
      call(
        (to) => to.revoke(revocation),
        (answer) => answer === undefined,
      ),
    touch(sid, now) {
      // A clock that moved back counts as a new minute.
      if (Math.abs(now - (touched.get(sid) ?? Number.NEGATIVE_INFINITY)) < TOUCH_EVERY) return;
      if (touched.size >= MAX_TOUCHED) touched.clear();
      touched.set(sid, now);
      call(
        (to) => to.touch(sid),
        () => true,
      ).catch(() => {});
    },
    async limits() {
      if (performance.now() - known.at < LIMITS_FOR) return known;
      const highest = await call((to) => to.raiseLimits(own), areLimits);
      known = { ...highest, at: performance.now() };
      return known;
    },
    async hashAddress(address) {
      if (!store.secret) return undefined;
      secret ??= await call(
        (to) => to.secret?.() as MaybePromise<Uint8Array>,
        (bytes) => bytes instanceof Uint8Array,
      );
      return keyedDigest(secret, address);
    },
    purge: () =>
      call(
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

/** Waits for an answer, but no longer than `limit` milliseconds. By our own timer: drivers queue for ever while they reconnect. A late answer is dropped, a late error is swallowed. */
export function within<T>(answer: MaybePromise<T> | PromiseLike<T>, limit: number): Promise<T> {
  if (!isThenable(answer)) return Promise.resolve(answer);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(down("no answer within storeTimeout")), limit);
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
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
