import type { Found } from "../locations/finding.ts";
import type { Anonymous, AnyClaims, AuthContext } from "../types.ts";
import type { Passage } from "./passage.ts";

/** What a request that passed hands to its handler. */
export function authContext(passage: Passage): AuthContext<unknown, AnyClaims> {
  const { claims, shown, memo } = passage;
  // Where the store was asked, both names are at hand.
  const { subject = claims[passage.rule.config.identityClaim], sid = claims.sid } = memo.query ?? {};
  return {
    identity: subject as string,
    claims: shown as AuthContext<unknown, AnyClaims>["claims"],
    header: passage.header,
    location: (passage.found as Found).location,
    user: passage.user,
    sessionId: typeof sid === "string" ? sid : undefined,
  };
}

const nobody = (reason: Anonymous["reason"]): Anonymous =>
  Object.freeze({
    identity: null,
    claims: null,
    header: null,
    location: null,
    user: null,
    sessionId: undefined,
    reason,
  });

/** What an optional guard hands on without a token, and with one that is only expired. */
export const MISSING: Anonymous = nobody("missing");
export const EXPIRED: Anonymous = nobody("expired");
