import { randomBytes } from "node:crypto";
import { keyedDigest } from "../crypto/digest.ts";
import { raise, StoreUnavailableError } from "../errors.ts";
import type { AnyManager } from "../routes/shared.ts";
import { within } from "../sessions/store-calls.ts";
import type { MaybePromise } from "../types.ts";

/** Asks a store of accounts, behind the time limit of the manager. */
export type Asking = <T>(ask: () => MaybePromise<T>) => Promise<T>;

/** Whatever a store throws, or answers too late, is `store_unavailable`. @param limit milliseconds */
export function askingWithin(limit: () => number): Asking {
  return async (ask) => {
    try {
      return await within(ask(), limit());
    } catch (error) {
      const message = "Accounts cannot be reached right now";
      return raise(new StoreUnavailableError("store_unavailable", { message, cause: error, detail: "accounts" }));
    }
  };
}

/** Names things without telling them: the same in every process that shares the store of sessions. */
export type Keyed = (text: string) => Promise<string>;

/**
 * Hashes under the secret of the store of sessions, as the addresses of sessions are. A store that keeps none gets one for
 * this process alone: then known devices and limits are those of the process.
 */
export function keyedBy({ config }: AnyManager, ask: Asking): Keyed {
  let secret: Uint8Array | undefined;
  return async (text) => {
    secret ??= config.store?.secret
      ? await ask(() => config.store?.secret?.() as MaybePromise<Uint8Array>)
      : randomBytes(32);
    return keyedDigest(secret, text);
  };
}
