import type { KeyResolver } from "../crypto/keys.ts";
import type { JwtError } from "../errors.ts";
import type { MaybePromise } from "../types.ts";
import { checkClaims, checkTimes, expiredAt } from "./claims.ts";
import { readSegment } from "./compact.ts";
import { malformed, refuse } from "./refusals.ts";
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
  /** How many tokens the cache holds. */
  readonly cacheSize: number;
}

/** Makes a verifier. With a cache, tokens that passed everything are not verified again; their times are, on every hit. */
export function createVerifier(keys: KeyResolver, rules: TokenRules, cache: CacheLimits | false): TokenVerifier {
  const open = createOpener(keys, rules);
  const remembered: VerifiedCache | undefined =
    cache === false || !keys.cacheable ? undefined : createVerifiedCache(keys, cache);

  function finish(signed: SignedToken | JwtError, now: number, token: string): VerifiedToken | JwtError {
    if (signed instanceof Error) return signed;
    const claims = readSegment(signed.segments.payload, rules);
    if (typeof claims === "string") return malformed(`payload: ${claims}`);
    const fault = typFault(signed, rules) ?? checkTimes(claims, now, rules) ?? checkClaims(claims, rules);
    if (fault !== undefined) return fault;
    const verified = { header: signed.header, claims, key: signed.key };
    // A dead token must not take the place of one that is alive.
    if (!expiredAt(claims, now, rules.leeway, rules.cutTimes)) remembered?.set(token, verified, signed.version);
    return verified;
  }

  return {
    verify(token, now) {
      if (remembered !== undefined && typeof token === "string") {
        const hit = remembered.get(token);
        if (hit !== undefined) return checkTimes(hit.claims, now, rules) ?? hit;
      }
      const signed = open(token);
      if (signed instanceof Promise) return signed.then((outcome) => finish(outcome, now, token as string));
      return finish(signed, now, token as string);
    },
    get cacheSize() {
      return remembered?.size ?? 0;
    },
  };
}

function typFault(signed: SignedToken, rules: TokenRules): JwtError | undefined {
  const { typ } = signed.header;
  if (rules.accessTypOnly && typeof typ === "string" && isOtherKind(mediaType(typ))) {
    return refuse("wrong_token_type", "typ names another kind of token");
  }
  if (rules.typ === undefined) return undefined;
  if (typeof typ === "string" && mediaType(typ) === mediaType(rules.typ)) return undefined;
  return refuse("token_claim", "typ is missing or another one");
}

/** Kinds of tokens are told apart by names that end in `+jwt`; that of access tokens is `at+jwt` (RFC 9068 §2.1). */
const isOtherKind = (type: string): boolean => type.endsWith("+jwt") && type !== "at+jwt";

/** A media type without the prefix that may be left out (RFC 7515 §4.1.9); letter case does not count. */
function mediaType(typ: string): string {
  const type = typ.toLowerCase();
  const prefix = "application/";
  return type.startsWith(prefix) && !type.includes("/", prefix.length) ? type.slice(prefix.length) : type;
}
