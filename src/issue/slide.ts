import type { ResolvedConfig } from "../config/resolve.ts";
import { isRefusal } from "../errors.ts";
import type { JwtReply, JwtRequest } from "../http/types.ts";
import { isOver } from "../stores/rotation.ts";
import type { AnyClaims, AuthContext } from "../types.ts";
import { cookieHeaders } from "./cookies.ts";
import type { Issuer } from "./issuer.ts";
import { prepare, seal, withCarried } from "./mint.ts";
import { bondOf } from "./pair.ts";
import { carriedClaims, renewedSubject } from "./renew.ts";
import { expiryOf } from "./times.ts";

type Auth = AuthContext<unknown, AnyClaims>;

/** Whether a request that a guard let pass is due for a new access cookie: half of the old one's life is over. */
export function isDue({ location, claims, sessionId }: Auth, request: JwtRequest, config: ResolvedConfig): boolean {
  if (!config.implicitRefresh || location !== "cookies" || sessionId === undefined || claims.type !== "access")
    return false;
  if (request.method === "HEAD" || request.method === "OPTIONS" || claims.exp === undefined) return false;
  return config.clock() / 1000 >= claims.iat + (claims.exp - claims.iat) / 2;
}

/**
 * A new access cookie for a session in use: never fresh, never past the limits of the session, and the refresh token
 * stays as it is. Whatever keeps it from being made only means that the old cookie goes on.
 */
export async function slide(auth: Auth, request: JwtRequest, issuer: Issuer): Promise<JwtReply["headers"]> {
  const { config, store } = issuer;
  try {
    const row = await store?.read(auth.sessionId as string);
    const now = config.clock();
    if (!store || !row || isOver(row, now)) return [];
    const token = { header: auth.header, claims: auth.claims };
    const subject = await renewedSubject(token, config);
    const prepared = await prepare(subject, {}, config, false);
    const carried = withCarried(prepared, subject.isKnown ? row.claims : carriedClaims(token, config), row.headers);
    const bond = bondOf(row, "access");
    const exp = expiryOf("access", undefined, now, bond.notAfter, config);
    store.touch(row.sid, now);
    return await cookieHeaders(
      "access",
      await seal("access", carried, exp, false, bond, now, config),
      {},
      request,
      issuer,
    );
  } catch (error) {
    if (isRefusal(error)) return [];
    throw error;
  }
}
