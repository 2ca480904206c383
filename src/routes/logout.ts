import { CsrfError, InvalidTokenError, isRefusal, type JwtError, raise } from "../errors.ts";
import { cookieValues } from "../http/cookies.ts";
import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import { MAX_DUPLICATES } from "../locations/cookies.ts";
import { needsCsrf } from "../locations/csrf.ts";
import { findToken } from "../locations/find.ts";
import { csrfFault } from "../token/csrf.ts";
import type { AnyClaims, RegisteredClaims } from "../types.ts";
import { type AnyManager, assertOwnPage, liveToken, route, routePlaces } from "./shared.ts";

/** A token that came, and what it says. */
interface Carried {
  readonly token: string;
  readonly claims: Readonly<RegisteredClaims & AnyClaims>;
}

/** `POST /logout`: ends the session of whatever token came, an expired one included; 204, also the second time. */
export function logoutRoute(manager: AnyManager): Route {
  return route("POST", "/logout", manager, (request) => logout(request, manager));
}

async function logout(request: JwtRequest, manager: AnyManager): Promise<JwtReply> {
  assertOwnPage(request, manager);
  const carried = await carriedTokens(request, manager);
  const byCookie = manager.config.locations.includes("cookies");
  const [first, ...others] = carried;
  if (first) {
    // Tokens of two people are never ended together: one of them was planted.
    const who = ({ claims }: Carried): unknown => claims[manager.config.identityClaim];
    const mine = [first, ...others.filter((other) => who(first) !== undefined && who(other) === who(first))];
    await Promise.all(mine.map((one) => end(one, manager)));
  }
  const headers = byCookie ? manager.unsetCookieHeaders(["access", "refresh"], {}, request) : [];
  return { status: 204, headers };
}

function end({ token, claims }: Carried, manager: AnyManager): Promise<void> {
  return claims.sid === undefined ? manager.revokeToken(token) : manager.revokeSession(claims.sid);
}

async function read(token: unknown, manager: AnyManager): Promise<Carried> {
  return { token: token as string, claims: await manager.decodeToken(token as string, { allowExpired: true }) };
}

/** The claims of the tokens that came, those of the place that decides first. */
async function carriedTokens(request: JwtRequest, manager: AnyManager): Promise<readonly Carried[]> {
  const { config } = manager;
  for (const place of routePlaces(manager)) {
    if (place === "cookies") {
      const carried = await cookieTokens(request, manager);
      if (carried.length > 0) return carried;
      continue;
    }
    for (const kind of [config.names.access, config.names.refresh]) {
      const found = await findToken(request, { config, places: [place], kinds: [kind] });
      if ("tokens" in found) return [await read(found.tokens[0], manager)];
      if (found.code !== "token_missing") return raise(found);
    }
  }
  return [];
}

/** Both token cookies, as far as they are good, if the request proves that it comes from one of our pages. */
async function cookieTokens(request: JwtRequest, manager: AnyManager): Promise<readonly Carried[]> {
  const { names } = manager.config;
  const lines = request.header("cookie");
  const good: Carried[] = [];
  let fault: JwtError | undefined;
  for (const kind of [names.access, names.refresh]) {
    const values = [...new Set(cookieValues(lines, kind.cookieName))].filter((value) => value !== "");
    if (values.length === 0) continue;
    if (values.length > MAX_DUPLICATES) return raise(new InvalidTokenError("ambiguous_cookies"));
    const token = await liveToken(values, manager, { allowExpired: true });
    try {
      good.push(await read(token, manager));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      fault ??= error;
    }
  }
  if (good.length === 0 && fault) return raise(fault);
  if (good.length > 0) assertSubmitted(request, good, manager);
  return good;
}

/** The value of either kind will do: a page that logs out may have only one of them left. */
function assertSubmitted(request: JwtRequest, tokens: readonly Carried[], manager: AnyManager): void {
  const { config } = manager;
  if (!needsCsrf(request, config) || config.csrf.mode === "fetch-metadata") return;
  const { access, refresh } = config.names;
  const lines = [...new Set([access.csrfHeader, refresh.csrfHeader])].flatMap((name) => request.header(name));
  if (lines.length === 0) raise(new CsrfError("csrf_missing"));
  const [submitted = ""] = lines;
  const matches = tokens.some(({ claims }) => csrfFault(claims.csrf, submitted, config.behaviour) === undefined);
  if (lines.length > 1 || !matches) raise(new CsrfError("csrf_mismatch"));
}
