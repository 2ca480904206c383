import type { ResolvedConfig } from "../config/resolve.ts";
import type { TokenRules } from "./verify.ts";

/** What a manager demands of every token, whatever the guard. */
export function tokenRules(config: ResolvedConfig): TokenRules {
  const { behaviour, lifetimes, decodeAudience } = config;
  const required = [config.identityClaim];
  // Whoever makes tokens without an end has to read them.
  const endless = lifetimes.access.max === false || lifetimes.refresh.max === false;
  if (behaviour.requireExp && !endless) required.push("exp");
  if (config.requireJti) required.push("jti");
  return Object.freeze<TokenRules>({
    leeway: config.leeway,
    issuer: config.decodeIssuer,
    audience:
      decodeAudience === false
        ? undefined
        : (decodeAudience ?? (behaviour.refuseForeignAudience ? "absent" : undefined)),
    requiredClaims: Object.freeze(required),
    verifySub: config.verifySub,
    accessTypOnly: behaviour.strictTokenHeader,
    jtiString: true,
    nullIsPresent: !behaviour.textIdentity,
    cutTimes: behaviour.cutTimes,
    paddedBase64: behaviour.paddedBase64,
    lastNameWins: behaviour.lastNameWins,
    strictHeader: behaviour.strictTokenHeader,
    maxBytes: behaviour.maxTokenBytes,
    maxDepth: behaviour.maxClaimDepth,
    missingClaim: behaviour.messages.missingClaim,
  });
}
