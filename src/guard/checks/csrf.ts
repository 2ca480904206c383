import type { JwtError } from "../../errors.ts";
import { csrfFault } from "../../token/csrf.ts";
import type { Passage } from "../passage.ts";

/** The submitted value must equal the claim, where a value was called for. */
export function csrfMatch(passage: Passage): JwtError | undefined {
  const submitted = passage.found?.csrf;
  if (submitted === undefined) return undefined;
  return csrfFault(passage.claims.csrf, submitted, passage.rule.config.behaviour);
}
