import { InvalidTokenError, type JwtError } from "../../errors.ts";
import type { Passage } from "../passage.ts";

/**
 * A token is good for its own kind of route only (RFC 8725 §3.11). Those who mint for others, OpenID providers among
 * them, know no such claim: where this service mints none itself, a token without one is an access token.
 */
export function tokenType(passage: Passage): JwtError | undefined {
  const { type: wanted, config } = passage.rule;
  const { exactTypes, messages } = config.behaviour;
  const claim = passage.claims.type;
  const type = claim === undefined && !config.mintsTokens ? "access" : claim;
  const known = !exactTypes || type === "access" || type === "refresh";
  const fits = wanted === undefined || (exactTypes ? type === wanted : (type === "refresh") === (wanted === "refresh"));
  if (known && fits) return undefined;
  return new InvalidTokenError("wrong_token_type", { message: messages.wrongType(wanted ?? "access") });
}
