import { memoryStore, type TokenStore } from "jwt-extended";

/** A store that opens sessions and fails at the check of a token, in the way given. */
export function downStore(
  isRevoked: () => unknown = () => {
    throw new Error("connection refused");
  },
): TokenStore {
  return { ...memoryStore(), isRevoked: isRevoked as TokenStore["isRevoked"] };
}

/** A store on which every call fails in the way given. */
export function brokenStore(answer: () => unknown): TokenStore {
  const call = answer as () => never;
  return {
    open: call,
    rotate: call,
    read: call,
    list: call,
    touch: call,
    isRevoked: call,
    revoke: call,
    spend: call,
    raiseLimits: call,
    secret: call,
    purge: call,
  };
}

/** Never answers. */
export const hanging = (): Promise<never> => new Promise(() => {});

/** A memory store that was there long before: tokens from before a store's time are dead. */
export function oldStore(): TokenStore {
  let born = Date.now() - 86_400_000;
  return memoryStore({
    clock: () => {
      const now = born;
      born = Math.max(born, Date.now());
      return now;
    },
  });
}
