import { ExpiredTokenError, type JwtError } from "../../errors.ts";
import { expiredAt } from "../../token/verify.ts";
import type { Passage } from "../passage.ts";

/** `exp`, the last check of the token itself: any other fault of it wins. */
export function expiry(passage: Passage): JwtError | undefined {
  const { config, optional } = passage.rule;
  const { ends } = passage.memo;
  if (ends !== undefined && ends > passage.now / 1000 - config.leeway) return undefined;
  if (!expiredAt(passage.claims, passage.now, config.leeway, config.behaviour.cutTimes)) return undefined;
  if (optional !== "lenient" || yieldsTo(passage) >= 0) return new ExpiredTokenError("token_expired");
  passage.expired = true;
  return undefined;
}

/** The place to look at instead of an expired cookie: a header that the search names later; -1 for none. */
export function yieldsTo({ found, rule }: Passage): number {
  if (found?.location !== "cookies" || !rule.config.behaviour.expiredCookieYields) return -1;
  const { places } = rule.search;
  return places.indexOf("headers", places.indexOf("cookies"));
}
