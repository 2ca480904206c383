import type { KeyResolver } from "../crypto/keys.ts";
import { createBoundedCache, type Kept } from "../internal/bounded-cache.ts";
import { flatCopy } from "../internal/flat-text.ts";
import { createSightings } from "../internal/sightings.ts";
import { charCodeAt } from "../internal/text.ts";
import type { VerifiedToken } from "./token-rules.ts";

/** The limits of a verified-token cache. */
export interface CacheLimits {
  readonly entries: number;
  readonly bytes: number;
}

interface Entry extends Kept {
  readonly token: string;
  readonly verified: VerifiedToken;
  readonly version: number;
}

/** Remembers tokens that passed everything. Times are for the caller to judge again on every hit. */
export interface VerifiedCache {
  readonly size: number;
  get(token: string): VerifiedToken | undefined;
  /** The token that came at the end of such a header line before, see `Memo.line`. */
  atEndOf(line: string): VerifiedToken | undefined;
  /** Takes in a token that passed for the second time; the first time is only noted. */
  set(token: string, verified: VerifiedToken, version: number): void;
}

/** What parsed claims take, as a multiple of their text, and what an entry takes beside them and the header line. */
const CLAIMS_FACTOR = 4;
const ENTRY_BYTES = 500;

/** Five characters of the signature, so far from its end that they are random with every algorithm, as one number. */
function signatureMark(token: string): number {
  let mark = 0;
  for (let at = token.length - 13; at < token.length - 8; at++)
    mark = (Math.imul(mark, 31) + charCodeAt(token, at)) | 0;
  return mark;
}

/**
 * Makes a cache of verified tokens. An entry is found by a part of its signature segment, then the whole token is compared; it holds the
 * key that verified it and counts only while that key is in use under the same version.
 */
export function createVerifiedCache(keys: KeyResolver, limits: CacheLimits): VerifiedCache {
  const entries = createBoundedCache<number, Entry>(limits.entries, limits.bytes);
  // To take in a token costs a fifth of verifying it. One that never comes back must not pay for it.
  const sightings = createSightings(limits.entries);
  const current = (mark: number, { verified, version }: Entry): VerifiedToken | undefined => {
    if (keys.has(verified.key, version)) return verified;
    entries.delete(mark);
    return undefined;
  };

  return {
    get size() {
      return entries.size;
    },
    get(token) {
      const mark = signatureMark(token);
      const entry = entries.get(mark);
      return entry === undefined || entry.token !== token ? undefined : current(mark, entry);
    },
    atEndOf(line) {
      const mark = signatureMark(line);
      const entry = entries.get(mark);
      return entry === undefined || entry.verified.line !== line ? undefined : current(mark, entry);
    },
    set(token, verified, version) {
      const mark = signatureMark(token);
      if (!sightings.isSecond(mark)) return;
      // A slice would keep the header line it was cut from alive.
      const copy = flatCopy(token);
      const bytes = copy.length * (2 + CLAIMS_FACTOR) + ENTRY_BYTES;
      entries.set(mark, { token: copy, verified, version, bytes, used: false });
    },
  };
}
