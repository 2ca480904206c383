import type { ResolvedConfig } from "../config/resolve.ts";
import { InvalidTokenError } from "../errors.ts";

/** The identity of a token must be text, whatever claim holds it. */
export function identityFault(
  claims: Readonly<Record<string, unknown>>,
  config: ResolvedConfig,
): InvalidTokenError | undefined {
  if (!config.behaviour.textIdentity || !config.verifySub || typeof claims[config.identityClaim] === "string")
    return undefined;
  return new InvalidTokenError("token_claim", { detail: `${config.identityClaim} is no text` });
}
