import type { KeyResolver } from "../crypto/keys.ts";
import type { JwtError } from "../errors.ts";
import type { MaybePromise } from "../types.ts";
import { checkTimes, createClaimCheck, expiredAt } from "./claims.ts";
import { readSegment } from "./compact.ts";
import { refuseKind } from "./header.ts";
import { malformed } from "./refusals.ts";
import { createOpener, type SignedToken } from "./signature.ts";
import type { TokenRules, VerifiedToken } from "./token-rules.ts";
import { type CacheLimits, createVerifiedCache, type VerifiedCache } from "./verified-cache.ts";

export { expiredAt } from "./claims.ts";
export { readHeader, readUnverifiedClaims } from "./header.ts";
export { verifySignature } from "./signature.ts";
export type { TokenRules, VerifiedToken } from "./token-rules.ts";

/** Verifies tokens under one policy. */
export interface TokenVerifier {
  /**
   * Checks everything but a past `exp`: structure, key, algorithm, signature, `iat`, `nbf`, `iss`, `aud`, `sub`, `jti`, required claims.
   * `now` is in milliseconds. A refusal is returned, not thrown. A promise comes back only where the keys had to be waited for.
   */
  verify(token: unknown, now: number): MaybePromise<VerifiedToken | JwtError>;
  /** A token that passed before, in this header line, and has begun; its `exp` may be past. `now` in milliseconds. */
  recall(line: string, now: number): VerifiedToken | undefined;
  /** How many tokens the cache holds. */
  readonly cacheSize: number;
}

function passed({ header, key }: SignedToken, claims: VerifiedToken["claims"]): VerifiedToken {
  const { iat, nbf, exp } = claims;
  const begins = nbf === undefined ? iat : Math.max(Number(iat ?? 0), Number(nbf));
  return {
    header,
    claims,
    key,
    begins: wholeSeconds(begins),
    ends: wholeSeconds(exp),
    passed: undefined,
    line: undefined,
    found: undefined,
    query: undefined,
    standing: undefined,
    notedAt: undefined,
  };
}

const wholeSeconds = (time: unknown): number | undefined => (Number.isInteger(time) ? (time as number) : undefined);

/** Whether `checkTimes` would have nothing to say. */
const hasBegun = ({ begins }: VerifiedToken, now: number, { leeway, maxAge }: TokenRules): boolean =>
  begins !== undefined && maxAge === undefined && begins <= now / 1000 + leeway;

/** Makes a verifier. With a cache, tokens that passed everything are not verified again; their times are, on every hit. */
export function createVerifier(keys: KeyResolver, rules: TokenRules, cache: CacheLimits | false): TokenVerifier {
  const open = createOpener(keys, rules);
  const checkClaims = createClaimCheck(rules);
  const remembered: VerifiedCache | undefined =
    cache === false || !keys.cacheable ? undefined : createVerifiedCache(keys, cache);

  function finish(signed: SignedToken | JwtError, now: number, token: string): VerifiedToken | JwtError {
    if (signed instanceof Error) return signed;
    const claims = readSegment(signed.segments.payload, rules);
    if (typeof claims === "string") return malformed(`payload: ${claims}`);
    if (signed.kindFault !== undefined) return refuseKind(signed.kindFault);
    const fault = checkTimes(claims, now, rules) ?? checkClaims(claims);
    if (fault !== undefined) return fault;
    const verified = passed(signed, claims);
    // A dead token must not take the place of one that is alive.
    if (remembered !== undefined && !expiredAt(claims, now, rules.leeway, rules.cutTimes)) {
      remembered.set(token, verified, signed.version);
    }
    return verified;
  }

  return {
    verify(token, now) {
      if (remembered !== undefined && typeof token === "string") {
        const hit = remembered.get(token);
        if (hit !== undefined) return hasBegun(hit, now, rules) ? hit : (checkTimes(hit.claims, now, rules) ?? hit);
      }
      const signed = open(token);
      if (signed instanceof Promise) return signed.then((outcome) => finish(outcome, now, token as string));
      return finish(signed, now, token as string);
    },
    recall(line, now) {
      const known = remembered?.atEndOf(line);
      return known !== undefined && hasBegun(known, now, rules) ? known : undefined;
    },
    get cacheSize() {
      return remembered?.size ?? 0;
    },
  };
}
