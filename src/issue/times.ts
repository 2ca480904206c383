import type { ResolvedConfig } from "../config/resolve.ts";
import { raise, UsageError } from "../errors.ts";
import { parseDuration } from "../internal/duration.ts";
import type { Duration, TokenType } from "../types.ts";

/**
 * When a token made at `now` (milliseconds) ends, in Unix seconds; `undefined` for never.
 * @throws UsageError `lifetime_invalid` for a lifetime that makes no sense or is out of bounds.
 */
export function expiryOf(
  type: TokenType,
  asked: Duration | false | undefined,
  now: number,
  notAfter: number | undefined,
  config: ResolvedConfig,
): number | undefined {
  const { expires, max } = config.lifetimes[type];
  const lifetime = asked === undefined ? expires : asked === false ? false : parseDuration(asked);
  const bound = type === "access" ? "maxAccessLifetime" : "maxRefreshLifetime";
  const refuse = (message: string): never => raise(new UsageError("lifetime_invalid", { message }));
  if (lifetime === undefined) return refuse('expires must be seconds, text such as "15m", or false for never.');
  if (lifetime === 0) return refuse("A lifetime of 0 is refused: give false for a token that never expires.");
  if (config.behaviour.boundLifetimes && lifetime !== false && lifetime < 0)
    return refuse("A lifetime must not be negative.");
  if (max !== false && (lifetime === false || lifetime > max)) {
    return refuse(`expires is longer than ${bound} allows: shorten it, or raise ${bound}.`);
  }
  const end = lifetime === false ? undefined : Math.floor(now / 1000 + lifetime);
  if (notAfter === undefined || !Number.isFinite(notAfter)) return end;
  return end === undefined ? notAfter : Math.min(end, notAfter);
}

/**
 * The claims `fresh` and `auth_time` of an access token made at `now` (milliseconds). Only a login can be fresh, so being
 * fresh says that the login is now; else the login is that of the session (Unix seconds), if there is one.
 */
export function freshness(
  fresh: boolean | Duration | undefined,
  now: number,
  loggedInAt: number | undefined,
  { behaviour }: ResolvedConfig,
): Record<string, unknown> {
  const isFresh = fresh !== undefined && fresh !== null && fresh !== false;
  const authTime = isFresh ? Math.floor(now / 1000) : loggedInAt;
  const claims = authTime === undefined || !behaviour.sessions ? {} : { auth_time: authTime };
  if (!isFresh || fresh === true) return { ...claims, fresh: fresh === undefined ? false : fresh };
  const seconds = parseDuration(fresh);
  if (seconds !== undefined) return { ...claims, fresh: now / 1000 + seconds };
  return raise(
    new UsageError("lifetime_invalid", { message: 'fresh must be true, false or a duration such as "10m".' }),
  );
}
