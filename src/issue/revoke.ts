import { raise, UsageError } from "../errors.ts";
import { keepLogin, keepToken } from "../sessions/limits.ts";
import { foreignIssuer } from "../sessions/query.ts";
import { needStore } from "../sessions/store-calls.ts";
import { decode } from "./decode.ts";
import type { Issuer } from "./issuer.ts";

/**
 * Revokes one token until it would have expired. It is verified first; an expired one is fine.
 * @throws JwtError for a token that is not good, `not_revocable` for one without `jti`, `store_unavailable`.
 */
export async function revokeToken(token: unknown, issuer: Issuer): Promise<void> {
  const { config } = issuer;
  const { claims } = await decode(token, { allowExpired: true }, issuer);
  const { jti, exp } = claims;
  if (typeof jti !== "string") {
    return raise(
      new UsageError("not_revocable", {
        message:
          "A token without jti cannot be revoked by itself: requireJti: false lets such tokens in. End its session or its subject instead.",
      }),
    );
  }
  await needStore(issuer.store, "revokeToken").revoke({
    kind: "token",
    jti,
    issuer: foreignIssuer(claims, config),
    until: keepToken(exp),
  });
}

/**
 * Ends a session: its access and refresh tokens die together. Ending it twice is fine.
 * @throws JwtError `store_unavailable`
 */
export async function revokeSession(sid: string, { config, store }: Issuer): Promise<void> {
  const until = keepLogin(["access"], config.clock(), config);
  await needStore(store, "revokeSession").revoke({ kind: "session", sid, until });
}

/**
 * Ends every session and token of a subject that began up to now: "log out everywhere".
 * @throws JwtError `store_unavailable`
 */
export async function revokeSubject(subject: string, { config, store }: Issuer): Promise<void> {
  const until = keepLogin(["access", "refresh"], config.clock(), config);
  await needStore(store, "revokeSubject").revoke({ kind: "subject", subject, until });
}
