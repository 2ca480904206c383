import { ForbiddenError, type JwtError } from "../../errors.ts";
import type { Passage, WantedNames } from "../passage.ts";

/** Roles: a list of text in the token. */
export function roles(passage: Passage): JwtError | undefined {
  const { roles: wanted, config } = passage.rule;
  if (!wanted || holds(passage.claims[config.rolesClaim], wanted)) return undefined;
  return new ForbiddenError("insufficient_role");
}

/** Scopes: text with blanks between (RFC 8693 §4.2) or a list. */
export function scopes(passage: Passage): JwtError | undefined {
  const { scopes: wanted, config } = passage.rule;
  if (!wanted) return undefined;
  const claim = passage.claims[config.scopeClaim];
  if (holds(typeof claim === "string" ? claim.split(" ") : claim, wanted)) return undefined;
  return new ForbiddenError("insufficient_scope", {
    challenge: { error: "insufficient_scope", scope: wanted.names.join(" ") },
  });
}

function holds(claim: unknown, { names, any }: WantedNames): boolean {
  if (!Array.isArray(claim)) return false;
  return any ? names.some((name) => claim.includes(name)) : names.every((name) => claim.includes(name));
}
