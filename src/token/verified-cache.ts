import type { KeyResolver } from "../crypto/keys.ts";
import { createBoundedCache } from "../internal/bounded-cache.ts";
import { flatCopy } from "../internal/flat-text.ts";
import type { VerifiedToken } from "./token-rules.ts";

/** The limits of a verified-token cache. */
export interface CacheLimits {
  readonly entries: number;
  readonly bytes: number;
}

interface Entry {
  readonly token: string;
  readonly verified: VerifiedToken;
  readonly version: number;
}

/** Remembers tokens that passed everything. Times are for the caller to judge again on every hit. */
export interface VerifiedCache {
  readonly size: number;
  get(token: string): VerifiedToken | undefined;
  set(token: string, verified: VerifiedToken, version: number): void;
}

/** What parsed claims take, as a multiple of their text, and what an entry takes beside them. */
const CLAIMS_FACTOR = 4;
const ENTRY_BYTES = 300;

/** The text behind the second dot. Searching forwards is the faster way. */
function signatureOf(token: string): string {
  return token.slice(token.indexOf(".", token.indexOf(".") + 1) + 1);
}

/**
 * Makes a cache of verified tokens. An entry is found by its signature segment, then the whole token is compared; it holds the key that
 * verified it and counts only while that key is in use under the same version.
 */
export function createVerifiedCache(keys: KeyResolver, limits: CacheLimits): VerifiedCache {
  const entries = createBoundedCache<Entry>(limits.entries, limits.bytes);

  return {
    get size() {
      return entries.size;
    },
    get(token) {
      const signature = signatureOf(token);
      const entry = entries.get(signature);
      if (entry === undefined || entry.token !== token) return undefined;
      if (keys.has(entry.verified.key, entry.version)) return entry.verified;
      entries.delete(signature);
      return undefined;
    },
    set(token, verified, version) {
      // A slice would keep the header line it was cut from alive.
      const copy = flatCopy(token);
      const bytes = copy.length * (1 + CLAIMS_FACTOR) + ENTRY_BYTES;
      entries.set(signatureOf(copy), { token: copy, verified: Object.freeze(verified), version }, bytes);
    },
  };
}
