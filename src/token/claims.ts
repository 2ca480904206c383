import type { InvalidTokenError } from "../errors.ts";
import { refuse } from "./refusals.ts";
import type { TokenRules } from "./token-rules.ts";

type Claims = Readonly<Record<string, unknown>>;
type Verdict = InvalidTokenError | undefined;

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function seconds(time: number, rules: Pick<TokenRules, "cutTimes">): number {
  return rules.cutTimes ? Math.trunc(time) : time;
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
    if (seconds(iat, rules) > latest) return refuse("token_not_yet_valid", "iat is ahead of the clock");
  }
  const { nbf } = claims;
  if (nbf !== undefined) {
    if (!isTime(nbf)) return refuse("token_claim", "nbf is no number");
    if (seconds(nbf, rules) > latest) return refuse("token_not_yet_valid", "nbf is ahead of the clock");
  }
  if (rules.maxAge !== undefined) {
    if (!isTime(iat)) return refuse("token_claim", "iat is missing, and there is a maximum age");
    if (now / 1000 - seconds(iat, rules) > rules.maxAge + rules.leeway)
      return refuse("token_claim", "older than the maximum age");
  }
  return undefined;
}

/** Judges all that does not depend on the clock, in the order of the design. */
export function checkClaims(claims: Claims, rules: TokenRules): Verdict {
  const { exp } = claims;
  if (exp !== undefined && !isTime(exp)) return refuse("token_claim", "exp is no number");
  return (
    checkIssuer(claims, rules) ??
    checkAudience(claims, rules) ??
    checkTexts(claims, rules) ??
    checkRequired(claims, rules)
  );
}

function checkIssuer(claims: Claims, rules: TokenRules): Verdict {
  if (rules.issuer === undefined) return undefined;
  const { iss } = claims;
  if (typeof iss === "string" && rules.issuer.includes(iss)) return undefined;
  return refuse("token_issuer", "iss is none of the issuers taken");
}

function checkAudience(claims: Claims, rules: TokenRules): Verdict {
  const wanted = rules.audience;
  if (wanted === undefined) return undefined;
  const { aud } = claims;
  if (wanted === "absent") {
    return aud === undefined ? undefined : refuse("token_audience", "aud is present, and no audience is configured");
  }
  if (typeof aud === "string") {
    if (aud !== "" && wanted.includes(aud)) return undefined;
  } else if (
    Array.isArray(aud) &&
    aud.every((item) => typeof item === "string") &&
    aud.some((item) => wanted.includes(item))
  ) {
    return undefined;
  }
  return refuse("token_audience", "aud holds none of the audiences taken");
}

function checkTexts(claims: Claims, rules: TokenRules): Verdict {
  const { sub } = claims;
  if (sub !== undefined && rules.verifySub && typeof sub !== "string") return refuse("token_claim", "sub is no text");
  if (rules.subject !== undefined && sub !== rules.subject) return refuse("token_claim", "sub is another one");
  const { jti } = claims;
  if (jti !== undefined && rules.jtiString && typeof jti !== "string") return refuse("token_claim", "jti is no text");
  return undefined;
}

function checkRequired(claims: Claims, rules: TokenRules): Verdict {
  for (const name of rules.requiredClaims) {
    // A prototype may carry the name, so finding a value is not enough.
    const present = Object.hasOwn(claims, name) && (rules.nullIsPresent === true || claims[name] !== null);
    if (!present) return refuse("token_claim", "a required claim is missing", rules.missingClaim(name));
  }
  return undefined;
}

/**
 * Whether `exp` lies at or before `now` (in milliseconds) less the leeway (in seconds) (RFC 7519 §4.1.4).
 * A token without `exp` does not expire; an `exp` that is no finite number counts as past.
 */
export function expiredAt(claims: Claims, now: number, leeway: number, cutTimes: boolean): boolean {
  const { exp } = claims;
  if (exp === undefined) return false;
  return !isTime(exp) || seconds(exp, { cutTimes }) <= now / 1000 - leeway;
}
