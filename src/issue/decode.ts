import { ExpiredTokenError, InvalidTokenError, JwtError, raise, UsageError, withToken } from "../errors.ts";
import { csrfFault } from "../token/csrf.ts";
import { identityFault } from "../token/identity.ts";
import { expiredAt, type VerifiedToken } from "../token/verify.ts";
import { shownClaims } from "../token/view.ts";
import type { JwtHeader } from "../types.ts";
import type { Issuer } from "./issuer.ts";

/** How `decodeToken` reads a token. */
export interface DecodeOptions {
  /** A CSRF value that must equal the claim. @default not compared */
  readonly csrf?: string | null | undefined;
  /** Takes an expired token, too; every other check stays. @default false */
  readonly allowExpired?: boolean | undefined;
}

/** A token outside of any request: header and claims as the application sees them. */
export interface Decoded {
  readonly header: Readonly<JwtHeader>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Verifies a token as a guard does, without type, freshness, revocation and user.
 * @throws JwtError with the reason.
 */
export async function decode(token: unknown, options: DecodeOptions, issuer: Issuer): Promise<Decoded> {
  const { config } = issuer;
  const now = config.clock();
  const verified = await verifyNow(token, now, issuer);
  const claims = shownClaims(verified.claims, config.behaviour);
  const { csrf } = options;
  const fault =
    identityFault(verified.claims, config) ??
    (csrf === undefined || csrf === null ? undefined : csrfFault(claims.csrf, csrf, config.behaviour)) ??
    (!options.allowExpired && expiredAt(claims, now, config.leeway, config.behaviour.cutTimes)
      ? new ExpiredTokenError("token_expired")
      : undefined);
  return fault ? raise(withToken(fault, { header: verified.header, claims })) : { header: verified.header, claims };
}

async function verifyNow(token: unknown, now: number, { verifier }: Issuer): Promise<VerifiedToken> {
  const verified = await verifier.verify(token, now);
  return verified instanceof JwtError ? raise(verified) : verified;
}

/**
 * The CSRF value of a token, for pages that do not read it from a cookie. Verifies the token.
 * @throws JwtError also when the token has none.
 */
export async function csrfOf(token: unknown, issuer: Issuer): Promise<string> {
  const { csrf } = (await decode(token, {}, issuer)).claims;
  if (typeof csrf === "string") return csrf;
  return raise(
    new UsageError("claims_invalid", {
      message:
        "The token carries no CSRF value: it was made while cookieCsrfProtect was off or cookies were not among tokenLocation.",
    }),
  );
}

/** @throws InvalidTokenError for a token of another kind than wanted. */
export function assertType(
  claims: Readonly<Record<string, unknown>>,
  wanted: "access" | "refresh",
  { config }: Issuer,
): void {
  if (claims.type === wanted) return;
  raise(new InvalidTokenError("wrong_token_type", { message: config.behaviour.messages.wrongType(wanted) }));
}
