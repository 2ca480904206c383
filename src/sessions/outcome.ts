import { type JwtError, RevokedTokenError } from "../errors.ts";
import type { Emitter, EventClient } from "../events.ts";
import type { Rotation, SessionRow } from "../stores/contract.ts";

/** What an exchange of a refresh token means: the session to go on with, or the refusal; and who is told. */
export function judgeRotation(
  { outcome, row }: Rotation,
  before: EventClient | undefined,
  client: EventClient,
  events: Emitter,
): SessionRow | JwtError {
  if (outcome === "session_unknown") return new RevokedTokenError("session_unknown");
  if (outcome === "session_ended" || !row) return new RevokedTokenError("session_ended");
  const who = { subject: row.subject, sessionId: row.sid };
  if (outcome === "reused") {
    events.emit("reused", { ...who, ...client });
    return new RevokedTokenError("token_reused");
  }
  if (outcome === "raced" && before) {
    const race = { ...who, ...client, before };
    events.emit("raced", race);
    if (before.userAgent !== client.userAgent || before.address !== client.address) events.emit("suspicious", race);
  } else {
    events.emit("refreshed", { ...who, ...client });
    if (outcome === "healed") events.emit("storeRewound", who);
  }
  return row;
}
