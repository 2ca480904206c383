import type { ResolvedConfig } from "../config/resolve.ts";
import { ConfigError, isJwtError, type JwtError, raise, StoreUnavailableError } from "../errors.ts";
import { isThenable } from "../internal/thenable.ts";
import type { NewSession, Revocation, RevocationQuery, SessionRow, TokenStore } from "../stores/contract.ts";
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
  read(sid: string): Promise<SessionRow | undefined>;
  /** @throws StoreUnavailableError */
  revoke(revocation: Revocation): Promise<void>;
}

const down = (detail: string, cause?: unknown): StoreUnavailableError =>
  new StoreUnavailableError("store_unavailable", { detail, cause });

/** Wraps the store of a manager; `undefined` where it has none. */
export function storeCalls(config: ResolvedConfig): StoreCalls | undefined {
  const { store, storeTimeout } = config;
  if (!store) return undefined;

  const failed = (error: unknown): JwtError => (isJwtError(error) ? error : down("the store threw", error));
  async function call<T>(
    ask: (store: TokenStore) => MaybePromise<T>,
    isAnswer: (answer: unknown) => boolean,
  ): Promise<T> {
    let answer: T;
    try {
      answer = await within(ask(store as TokenStore), storeTimeout);
    } catch (error) {
      return raise(failed(error));
    }
    return isAnswer(answer) ? answer : raise(down("the store answered nonsense"));
  }
  const judge = (answer: unknown): boolean | JwtError =>
    typeof answer === "boolean" ? answer : down("the store answered nonsense");
  return {
    isRevoked(query) {
      try {
        const answer = store.isRevoked(query);
        return isThenable(answer) ? within(answer, storeTimeout).then(judge, failed) : judge(answer);
      } catch (error) {
        return failed(error);
      }
    },
    open: (session) => call((to) => to.open(session), isRow),
    read: (sid) =>
      call(
        (to) => to.read(sid),
        (row) => row === undefined || isRow(row),
      ),
    revoke: (revocation) =>
      call(
        (to) => to.revoke(revocation),
        (answer) => answer === undefined,
      ),
  };
}

function isRow(answer: unknown): boolean {
  const row = (answer ?? {}) as Partial<SessionRow>;
  const texts = typeof row.sid === "string" && typeof row.subject === "string";
  return texts && typeof row.absoluteEnd === "number" && row.csrfSeed instanceof Uint8Array;
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
