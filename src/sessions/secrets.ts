import { shortDigest } from "../crypto/digest.ts";
import type { SessionRow } from "../stores/contract.ts";
import type { TokenType } from "../types.ts";

/** The CSRF value of a session for one kind of token; the same across refreshes, different between the kinds. */
export function sessionCsrf({ csrfSeed }: SessionRow, type: TokenType): string {
  return shortDigest(`jwt-extended/csrf/${type}\0`, csrfSeed);
}

/** The `jti` of a refresh token, which is named by its session and a counter, so that it can be made again. */
export function refreshTokenId(sid: string, gen: number): string {
  return shortDigest(`jwt-extended/refresh\0${sid}\0${gen}`);
}
