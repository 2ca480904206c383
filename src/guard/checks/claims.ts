import { InvalidClaimsError, type JwtError } from "../../errors.ts";
import { isThenable } from "../../internal/thenable.ts";
import { readWithSchema } from "../../token/schema.ts";
import type { MaybePromise } from "../../types.ts";
import type { Passage } from "../passage.ts";

/** The application's own `tokenVerification`. */
export function verification(passage: Passage): MaybePromise<JwtError | undefined> {
  const { loaders, behaviour } = passage.rule.config;
  const accepted = loaders.tokenVerification?.(passage.header, passage.claims as never);
  const refuse = (answer: unknown): JwtError | undefined =>
    answer ? undefined : new InvalidClaimsError("invalid_claims", { message: behaviour.messages.claimsRefused() });
  return isThenable(accepted) ? Promise.resolve(accepted).then(refuse) : refuse(accepted);
}

/** `claimsSchema`: its output is what the application sees. It runs for each request, as what it makes could be changed. */
export function schema(passage: Passage): JwtError | undefined {
  const { claimsSchema, identityClaim } = passage.rule.config;
  if (!claimsSchema) return undefined;
  const read = readWithSchema(claimsSchema, passage.claims, identityClaim);
  if (!read.ok) return new InvalidClaimsError("invalid_claims", { detail: read.detail });
  passage.shown = read.claims;
  return undefined;
}
