import { refreshTokenId, sessionCsrf } from "../sessions/secrets.ts";
import type { SessionRow } from "../stores/contract.ts";
import type { TokenPair, TokenType } from "../types.ts";
import type { Bond } from "./mint.ts";

/** What a session gives to each of its tokens. */
export function bondOf(row: SessionRow, type: TokenType): Bond {
  const { sid, authTime, absoluteEnd, jkt } = row;
  return { sid, jkt, csrf: sessionCsrf(row, type), authTime, notAfter: Math.floor(absoluteEnd / 1000) };
}

/** What it gives to the refresh token that is good now: its name, too. */
export function refreshBondOf(row: SessionRow): Bond {
  return { ...bondOf(row, "refresh"), gen: row.gen, jti: refreshTokenId(row.sid, row.gen) };
}

/** The answer to a login or renewal (RFC 6749 §5.1, RFC 9449 §5). `exp` in Unix seconds, `now` in milliseconds. */
export function tokenPair(
  access_token: string,
  refresh_token: string,
  exp: number | undefined,
  now: number,
  jkt: string | undefined,
): TokenPair {
  const pair = { access_token, refresh_token, token_type: jkt === undefined ? "Bearer" : "DPoP" } as const;
  return exp === undefined ? pair : { ...pair, expires_in: exp - Math.floor(now / 1000) };
}
