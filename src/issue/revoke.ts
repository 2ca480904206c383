import { raise, UsageError } from "../errors.ts";
import { keepLogin, keepToken } from "../sessions/limits.ts";
import { foreignIssuer } from "../sessions/query.ts";
import { needStore } from "../sessions/store-calls.ts";
import { decode } from "./decode.ts";
import type { Issuer } from "./issuer.ts";

/**
 * Revokes one token until it would have expired; a refresh token takes its session along (RFC 7009 §2.1). The token is
 * verified first; an expired one is fine.
 * @throws JwtError for a token that is not good, `not_revocable` for one without `jti`, `store_unavailable`.
 */
export async function revokeToken(token: unknown, issuer: Issuer): Promise<void> {
  const { config, events } = issuer;
  const { claims } = await decode(token, { allowExpired: true }, issuer);
  const { jti, exp, type, sid } = claims;
  if (type === "refresh" && typeof sid === "string") return revokeSession(sid, issuer);
  if (typeof jti !== "string") {
    return raise(
      new UsageError("not_revocable", {
        message:
          "A token without jti cannot be revoked by itself: requireJti: false lets such tokens in. End its session or its subject instead.",
      }),
    );
  }
  const store = needStore(issuer.store, "revokeToken");
  await store.revoke({ kind: "token", jti, issuer: foreignIssuer(claims, config), until: keepToken(exp) });
  const sessionId = typeof sid === "string" ? sid : undefined;
  events.emit("revoked", { grain: "token", subject: String(claims[config.identityClaim]), sessionId });
}

/**
 * Ends a session: its access and refresh tokens die together. Ending it twice is fine.
 * @throws JwtError `store_unavailable`
 */
export async function revokeSession(sid: string, { config, store, events }: Issuer): Promise<void> {
  const calls = needStore(store, "revokeSession");
  const until = keepLogin(["access"], config.clock(), await calls.limits());
  await calls.revoke({ kind: "session", sid, until });
  events.emit("revoked", { grain: "session", subject: undefined, sessionId: sid });
}

/**
 * Ends every session and token of a subject that began up to now: "log out everywhere".
 * @throws JwtError `store_unavailable`
 */
export async function revokeSubject(subject: string, { config, store, events }: Issuer): Promise<void> {
  const calls = needStore(store, "revokeSubject");
  const until = keepLogin(["access", "refresh"], config.clock(), await calls.limits());
  await calls.revoke({ kind: "subject", subject, until });
  events.emit("revoked", { grain: "subject", subject, sessionId: undefined });
}

/**
 * Ends every session and token of everybody that began up to now.
 * @throws JwtError `store_unavailable`
 */
export async function revokeEverything({ config, store, events }: Issuer): Promise<void> {
  const calls = needStore(store, "revokeEverything");
  const until = keepLogin(["access", "refresh"], config.clock(), await calls.limits());
  await calls.revoke({ kind: "everything", until });
  events.emit("revoked", { grain: "everything", subject: undefined, sessionId: undefined });
}
