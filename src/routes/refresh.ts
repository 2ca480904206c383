import { isRefusal, type JwtError, raise } from "../errors.ts";
import { cookieValues } from "../http/cookies.ts";
import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import { findToken } from "../locations/find.ts";
import type { Found } from "../locations/finding.ts";
import { schemeFault } from "../token/dpop.ts";
import {
  type AnyManager,
  assertOwnPage,
  clientInfo,
  liveToken,
  type RouteOptions,
  route,
  routePlaces,
  unwrap,
} from "./shared.ts";

/** `POST /refresh`: exchanges a refresh token, and answers as the client came. */
export function refreshRoute(manager: AnyManager, options: RouteOptions): Route {
  return route("POST", "/refresh", manager, (request) => refresh(request, manager, options));
}

async function refresh(request: JwtRequest, manager: AnyManager, options: RouteOptions): Promise<JwtReply> {
  const { config } = manager;
  assertOwnPage(request, manager);
  const search = { config, places: routePlaces(manager), kinds: [config.names.refresh] };
  const found = unwrap(await findToken(request, search));
  const token = (await liveToken(found.tokens, manager)) as string;
  const byCookie = found.location === "cookies";
  try {
    if (found.csrf !== undefined) await manager.decodeToken(token, { csrf: found.csrf });
    const jkt = config.dpop && (await provenKey(token, found, request, manager));
    const pair = await manager.refreshTokenPair(token, { ...clientInfo(request, options), jkt });
    // A client that came with cookies never gets a token into its body: a script in the page could read it there.
    return await manager.tokensReply(pair, { via: byCookie ? "cookies" : "body" }, request);
  } catch (error) {
    if (!byCookie || !isRefusal(error)) throw error;
    const reply = await manager.replyTo(error, request);
    return { ...reply, headers: [...reply.headers, ...(await lost(error, request, manager))] };
  }
}

/** The key of the proof that came. Proofs are remembered for a while, so only who has a good token gets one remembered. */
async function provenKey(
  token: string,
  { location, byDpop }: Found,
  request: JwtRequest,
  manager: AnyManager,
): Promise<string | undefined> {
  const claims = await manager.decodeToken(token);
  const required = manager.config.dpop?.required === true;
  const fault = location === "headers" ? schemeFault(claims, byDpop === true, required) : undefined;
  return fault ? raise(fault) : manager.verifyDpopProof(request);
}

/**
 * Cookies are cleared only where they are surely those of the session that is over: a late answer of an old session must
 * not wipe the cookies of a new one.
 */
async function lost(error: JwtError, request: JwtRequest, manager: AnyManager): Promise<JwtReply["headers"]> {
  if (error.code !== "session_ended" && error.code !== "token_reused") return [];
  const { access, refresh } = manager.config.names;
  const lines = request.header("cookie");
  const [refreshToken, ...moreRefresh] = cookieValues(lines, refresh.cookieName);
  const [accessToken, ...moreAccess] = cookieValues(lines, access.cookieName);
  if (refreshToken === undefined || moreRefresh.length > 0 || moreAccess.length > 0) return [];
  const over = await sessionOf(refreshToken, manager);
  const other = accessToken === undefined ? over : await sessionOf(accessToken, manager);
  return over !== undefined && over === other ? manager.unsetCookieHeaders(["access", "refresh"], {}, request) : [];
}

async function sessionOf(token: string, manager: AnyManager): Promise<string | undefined> {
  try {
    return (await manager.decodeToken(token, { allowExpired: true })).sid;
  } catch {
    return undefined;
  }
}
