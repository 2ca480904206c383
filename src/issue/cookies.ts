import { isCookieDomain } from "../config/checks.ts";
import type { KindNames } from "../config/cookies.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { isJwtError, raise, UsageError } from "../errors.ts";
import { type CookieAttributes, MAX_COOKIE_BYTES, serializeCookie } from "../http/cookies.ts";
import type { JwtReply, JwtRequest } from "../http/types.ts";
import { needsCsrf, refusedOrigin } from "../locations/csrf.ts";
import { readUnverifiedClaims } from "../token/verify.ts";
import type { MaybePromise, TokenPair, TokenType } from "../types.ts";
import { csrfOf } from "./decode.ts";
import type { Issuer } from "./issuer.ts";
import { warnSafari } from "./safari.ts";

/** What may be said about the cookies of one call. */
export interface CookieSettings {
  /** Seconds; 0 expires the cookie at once. @default the rest of the token's life */
  readonly maxAge?: number | null | undefined;
  /** @default the option `cookieDomain` */
  readonly domain?: string | null | undefined;
}

/** How `sendTokens` answers. */
export interface SendTokensOptions {
  /** `"cookies"` or `"body"`. @default cookies where `tokenLocation` begins with them, else the body */
  readonly via?: "cookies" | "body" | undefined;
  /** @default 200 */
  readonly status?: number | undefined;
  /** Of the cookies. */
  readonly domain?: string | undefined;
}

type Headers = Array<readonly [string, string]>;
const NO_STORE = ["cache-control", "no-store"] as const;

/**
 * The headers that put a token, and its CSRF value, into cookies. Reads the token; verifies it only where that is recorded.
 * @throws CsrfError where another site asked for it: its visitor would be logged in as somebody else without knowing
 */
export async function cookieHeaders(
  type: TokenType,
  token: string,
  settings: CookieSettings,
  request: JwtRequest | undefined,
  issuer: Issuer,
): Promise<JwtReply["headers"]> {
  const { config } = issuer;
  const { behaviour, csrf } = config;
  const foreign = request && needsCsrf(request, config) ? refusedOrigin(request, config) : undefined;
  if (foreign) raise(foreign);
  const names = config.names[type];
  const exposed = csrf.protect && csrf.inCookies && csrf.mode === "double-submit";
  const claims = behaviour.cookiesVerify ? undefined : readClaims(token, config);
  const value = exposed ? await csrfValue(token, claims, issuer) : undefined;
  warnSafari(names.cookieName, request, config);
  const maxAge = ageOf(settings, claims?.exp, config);
  const headers: Headers = [cookie(names.cookieName, token, true, names.cookiePath, maxAge, settings, request, config)];
  if (value !== undefined)
    headers.push(cookie(names.csrfCookieName, value, false, names.csrfCookiePath, maxAge, settings, request, config));
  if (behaviour.noStore) headers.push(NO_STORE);
  return headers;
}

/** The headers that clear the cookies of some kinds, with the attributes they were set with. */
export function unsetCookieHeaders(
  types: readonly TokenType[],
  settings: CookieSettings,
  request: JwtRequest | undefined,
  config: ResolvedConfig,
): JwtReply["headers"] {
  const headers: Headers = [];
  for (const type of types) {
    const names: KindNames = config.names[type];
    headers.push(cookie(names.cookieName, "", true, names.cookiePath, 0, settings, request, config));
    if (config.csrf.protect && config.csrf.inCookies) {
      headers.push(cookie(names.csrfCookieName, "", false, names.csrfCookiePath, 0, settings, request, config));
    }
  }
  if (config.behaviour.noStore) headers.push(NO_STORE);
  return headers;
}

/** The answer to a login or refresh: the pair as JSON (RFC 6749 §5.1), or in cookies and then without any token in the body. */
export async function tokensReply(
  tokens: TokenPair,
  options: SendTokensOptions,
  request: JwtRequest | undefined,
  issuer: Issuer,
): Promise<JwtReply> {
  const { config } = issuer;
  const status = options.status ?? 200;
  if ((options.via ?? (config.locations[0] === "cookies" ? "cookies" : "body")) === "body") {
    return { status, headers: [NO_STORE, ["pragma", "no-cache"]], body: tokens };
  }
  const settings = { domain: options.domain };
  const access = await cookieHeaders("access", tokens.access_token, settings, request, issuer);
  const refresh = await cookieHeaders("refresh", tokens.refresh_token, settings, request, issuer);
  const body: Record<string, unknown> = tokens.expires_in === undefined ? {} : { expires_in: tokens.expires_in };
  if (config.csrf.protect && !config.csrf.inCookies) {
    body.csrf_access = readClaims(tokens.access_token, config)?.csrf;
    body.csrf_refresh = readClaims(tokens.refresh_token, config)?.csrf;
  }
  const cookies = [...access, ...refresh].filter(([name]) => name === "set-cookie");
  return { status, headers: [...cookies, NO_STORE], body };
}

function readClaims(token: string, { behaviour }: ResolvedConfig): Readonly<Record<string, unknown>> | undefined {
  const claims = readUnverifiedClaims(token, {
    paddedBase64: false,
    lastNameWins: behaviour.lastNameWins,
    strictHeader: behaviour.strictTokenHeader,
    maxBytes: behaviour.maxTokenBytes,
    maxDepth: behaviour.maxClaimDepth,
  });
  if (!isJwtError(claims)) return claims;
  return raise(new UsageError("cookie_unusable", { message: "What is to be set as a token cookie is no token." }));
}

/** The value for pages. Where it is recorded that way, reading it verifies the token and demands the claim. */
function csrfValue(
  token: string,
  claims: Readonly<Record<string, unknown>> | undefined,
  issuer: Issuer,
): MaybePromise<string | undefined> {
  if (!claims) return csrfOf(token, issuer);
  return typeof claims.csrf === "string" ? claims.csrf : undefined;
}

function ageOf({ maxAge }: CookieSettings, exp: unknown, config: ResolvedConfig): number | undefined {
  const { emptyIsUnset, persistentMaxAge } = config.behaviour;
  if (maxAge !== undefined && maxAge !== null && !(maxAge === 0 && emptyIsUnset)) {
    if (Number.isInteger(maxAge)) return maxAge;
    return raise(new UsageError("cookie_unusable", { message: "maxAge of a cookie must be whole seconds." }));
  }
  if (config.cookies.session) return undefined;
  if (persistentMaxAge !== undefined) return persistentMaxAge;
  return typeof exp === "number" ? Math.max(0, Math.floor(exp - config.clock() / 1000)) : undefined;
}

function cookie(
  name: string,
  value: string,
  httpOnly: boolean,
  path: string,
  maxAge: number | undefined,
  settings: CookieSettings,
  request: JwtRequest | undefined,
  config: ResolvedConfig,
): readonly [string, string] {
  const { secure, sameSite } = config.cookies;
  const attributes: CookieAttributes = {
    path,
    maxAge,
    httpOnly,
    secure,
    sameSite,
    domain: domainOf(settings, request, config),
  };
  const refuse = (message: string): never => raise(new UsageError("cookie_unusable", { message }));
  if (attributes.domain !== undefined && name.startsWith("__Host-") && config.behaviour.strictProduction) {
    return refuse(
      `The cookie ${name} may have no domain: set the option cookieDomain, which changes the prefix to __Secure-.`,
    );
  }
  if (name.length + value.length > MAX_COOKIE_BYTES) {
    return refuse(
      `The cookie ${name} would be longer than ${MAX_COOKIE_BYTES} bytes, and browsers would drop it: put less into the claims.`,
    );
  }
  return ["set-cookie", serializeCookie(name, value, attributes)];
}

function domainOf(
  { domain }: CookieSettings,
  request: JwtRequest | undefined,
  config: ResolvedConfig,
): string | undefined {
  const refuse = (message: string): never => raise(new UsageError("cookie_unusable", { message }));
  if (domain !== undefined && domain !== null && !(domain === "" && config.behaviour.emptyIsUnset)) {
    return isCookieDomain(domain) ? domain : refuse('domain of a cookie must be a domain such as "example.com".');
  }
  const option = config.cookies.domain;
  if (typeof option !== "function") return option;
  if (!request)
    return refuse("cookieDomain is a function of the request, and none is at hand here: pass domain yourself.");
  const made = option(request);
  return made === undefined || isCookieDomain(made) ? made : refuse("cookieDomain gave something that is no domain.");
}
