import type { Behaviour } from "../config/behaviour.ts";
import { CsrfError, type JwtError } from "../errors.ts";
import { equalText } from "../internal/constant-time.ts";

/** Compares a submitted CSRF value with the claim of the token, never with a cookie. */
export function csrfFault(claim: unknown, submitted: string, behaviour: Behaviour): JwtError | undefined {
  const { messages } = behaviour;
  if (claim === undefined) return new CsrfError("csrf_missing_claim", { message: messages.csrfMissingClaim() });
  if (typeof claim === "string" && equalText(claim, submitted)) return undefined;
  return new CsrfError("csrf_mismatch", { message: messages.csrfMismatch() });
}
