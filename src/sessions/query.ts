import type { ResolvedConfig } from "../config/resolve.ts";
import type { RevocationQuery } from "../stores/contract.ts";

/** What the store is asked about the claims of a token. The issuer counts only where the token is not one of ours. */
export function revocationQuery(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  config: ResolvedConfig,
): RevocationQuery {
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === "string" ? value : undefined;
  };
  // Kept with the token, and shown to stores that others wrote.
  return Object.freeze({
    jti: text("jti"),
    sid: text("sid"),
    subject: text(config.identityClaim),
    kid: typeof header.kid === "string" ? header.kid : undefined,
    issuer: foreignIssuer(claims, config),
    iat: typeof claims.iat === "number" ? claims.iat : undefined,
  });
}

/** The issuer of a token, unless it is this service. */
export function foreignIssuer(
  { iss }: Readonly<Record<string, unknown>>,
  { encodeIssuer }: ResolvedConfig,
): string | undefined {
  return typeof iss === "string" && iss !== encodeIssuer ? iss : undefined;
}
