import { type JwtError, NotFreshError } from "../../errors.ts";
import type { Passage } from "../passage.ts";

/** The claim `fresh`, and the age of the login where the route bounds it. The challenge is that of RFC 9470 §3. */
export function freshness(passage: Passage): JwtError | undefined {
  const { fresh: wanted, config } = passage.rule;
  const { behaviour } = config;
  const now = passage.now / 1000;
  const leeway = behaviour.freshLeeway ? config.leeway : 0;
  const fresh = passage.claims.fresh;
  const isFresh =
    fresh === true ||
    (typeof fresh === "number" && (behaviour.freshInclusive ? fresh >= now - leeway : fresh > now - leeway));
  const authTime = passage.claims.auth_time;
  const isRecent = wanted === true || (typeof authTime === "number" && now - authTime <= Number(wanted) + leeway);
  if (isFresh && isRecent) return undefined;
  return new NotFreshError("token_not_fresh", {
    message: behaviour.messages.notFresh(),
    challenge: { error: "insufficient_user_authentication", max_age: String(wanted === true ? 0 : wanted) },
  });
}
