import type { InvalidTokenError } from "../errors.ts";
import { refuse } from "./refusals.ts";
import type { TokenRules } from "./token-rules.ts";

type Claims = Readonly<Record<string, unknown>>;
type Verdict = InvalidTokenError | undefined;

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function seconds(time: number, cutTimes: boolean): number {
  return cutTimes ? Math.trunc(time) : time;
}

/**
 * Judges what depends on the clock, except a past `exp`: `iat`, `nbf` and the age (RFC 7519 §4.1.5, §4.1.6). `now` is in milliseconds.
 * A time that is no finite number is a refusal, not a skipped check.
 */
export function checkTimes(claims: Claims, now: number, rules: TokenRules): Verdict {
  const latest = now / 1000 + rules.leeway;
  const { iat } = claims;
  if (iat !== undefined) {
    if (!isTime(iat)) return refuse("token_claim", "iat is no number");
    if (seconds(iat, rules.cutTimes) > latest) return refuse("token_not_yet_valid", "iat is ahead of the clock");
  }
  const { nbf } = claims;
  if (nbf !== undefined) {
    if (!isTime(nbf)) return refuse("token_claim", "nbf is no number");
    if (seconds(nbf, rules.cutTimes) > latest) return refuse("token_not_yet_valid", "nbf is ahead of the clock");
  }
  if (rules.maxAge !== undefined) {
    if (!isTime(iat)) return refuse("token_claim", "iat is missing, and there is a maximum age");
    if (now / 1000 - seconds(iat, rules.cutTimes) > rules.maxAge + rules.leeway)
      return refuse("token_claim", "older than the maximum age");
  }
  return undefined;
}

/** Makes the function that judges all that does not depend on the clock, in the order of the design. */
export function createClaimCheck(rules: TokenRules): (claims: Claims) => Verdict {
  const { issuer, audience, subject, verifySub, jtiString, requiredClaims } = rules;
  // Nearly every token has these three, and to read them by their names is many times faster than by a list.
  const [needsExp, needsSub, needsJti] = ["exp", "sub", "jti"].map((name) => requiredClaims.includes(name));
  const needsMore = requiredClaims.some((name) => name !== "exp" && name !== "sub" && name !== "jti");
  return (claims) => {
    const { exp, iss, sub, jti } = claims;
    if (exp !== undefined && !isTime(exp)) return refuse("token_claim", "exp is no number");
    if (issuer !== undefined && !(typeof iss === "string" && isOneOf(iss, issuer))) {
      return refuse("token_issuer", "iss is none of the issuers taken");
    }
    const fault = audience === undefined ? undefined : checkAudience(claims.aud, audience);
    if (fault !== undefined) return fault;
    if (sub !== undefined && verifySub && typeof sub !== "string") return refuse("token_claim", "sub is no text");
    if (subject !== undefined && sub !== subject) return refuse("token_claim", "sub is another one");
    if (jti !== undefined && jtiString && typeof jti !== "string") return refuse("token_claim", "jti is no text");
    const someMissing = (needsExp && isNone(exp)) || (needsSub && isNone(sub)) || (needsJti && isNone(jti));
    return needsMore || someMissing ? checkRequired(claims, rules) : undefined;
  };
}

/** `includes`, quick where the first is the one, as it mostly is. */
const isOneOf = (text: string, wanted: readonly string[]): boolean => text === wanted[0] || wanted.includes(text);

function checkAudience(aud: unknown, wanted: readonly string[] | "absent"): Verdict {
  if (wanted === "absent") {
    return aud === undefined ? undefined : refuse("token_audience", "aud is present, and no audience is configured");
  }
  if (typeof aud === "string") {
    if (aud !== "" && isOneOf(aud, wanted)) return undefined;
  } else if (
    Array.isArray(aud) &&
    aud.every((item) => typeof item === "string") &&
    aud.some((item) => wanted.includes(item))
  ) {
    return undefined;
  }
  return refuse("token_audience", "aud holds none of the audiences taken");
}

function checkRequired(claims: Claims, rules: TokenRules): Verdict {
  for (const name of rules.requiredClaims) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (value === undefined || (value === null && rules.nullIsPresent !== true))
      return refuse("token_claim", "a required claim is missing", rules.missingClaim(name));
  }
  return undefined;
}

const isNone = (value: unknown): boolean => value === undefined || value === null;

/**
 * Whether `exp` lies at or before `now` (in milliseconds) less the leeway (in seconds) (RFC 7519 §4.1.4).
 * A token without `exp` does not expire; an `exp` that is no finite number counts as past.
 */
export function expiredAt(claims: Claims, now: number, leeway: number, cutTimes: boolean): boolean {
  const { exp } = claims;
  if (exp === undefined) return false;
  return !isTime(exp) || seconds(exp, cutTimes) <= now / 1000 - leeway;
}
