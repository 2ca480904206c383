import { InvalidTokenError, type JwtError } from "../../errors.ts";
import type { Passage } from "../passage.ts";

/** A token is good for its own kind of route only (RFC 8725 §3.11). */
export function tokenType(passage: Passage): JwtError | undefined {
  const { type: wanted, config } = passage.rule;
  const type = passage.claims.type;
  const { exactTypes, messages } = config.behaviour;
  const known = !exactTypes || type === "access" || type === "refresh";
  const fits = wanted === undefined || (exactTypes ? type === wanted : (type === "refresh") === (wanted === "refresh"));
  return known && fits
    ? undefined
    : new InvalidTokenError("wrong_token_type", { message: messages.wrongType(wanted ?? "access") });
}
