import type { JwkSet, KeyMaterial } from "../crypto/keys.ts";
import type { JwtRequest } from "../http/types.ts";
import type { TokenStore } from "../stores/contract.ts";
import type { Duration, JwtLocation } from "../types.ts";
import type { DpopOptions } from "./dpop.ts";
import type { Loaders } from "./loaders.ts";
import type { StandardSchema } from "./schema.ts";

/** A cookie that an earlier configuration set and that is to be cleared when it shows up as a duplicate. */
export interface LegacyCookie {
  readonly domain?: string | undefined;
  readonly path?: string | undefined;
}

/** How a cookie request proves that it comes from our own pages. */
export type CsrfMode = "double-submit" | "fetch-metadata";

/** Size bounds of the verified-token cache: entries, and bytes of the tokens held. */
export interface VerifyCacheOptions {
  readonly entries?: number | undefined;
  readonly bytes?: number | undefined;
}

/**
 * All options of `JWTManager`. The names are those of Flask-JWT-Extended in camelCase without `JWT_`; times are
 * seconds or text such as `"15m"`. Every fault is reported by the constructor, all of them in one `ConfigError`.
 */
export interface JwtOptions<User = undefined, Output = unknown, Identity = string> {
  // --- keys and algorithms
  /** The HMAC secret: at least 32 bytes for HS256, 48 for HS384, 64 for HS512 (RFC 7518 §3.2). */
  secretKey?: KeyMaterial | undefined;
  /** The private key that signs, for RS*, PS*, ES* and EdDSA: PEM, JWK or `KeyObject`. */
  privateKey?: KeyMaterial | undefined;
  /** The public key, or a key set `{ keys: […] }`, that verifies. Default: the public half of `privateKey`. */
  publicKey?: KeyMaterial | JwkSet | undefined;
  /** What tokens are signed with. @default "HS256" */
  algorithm?: string | undefined;
  /** What is accepted, the whole list. @default the value of `algorithm` */
  decodeAlgorithms?: readonly string[] | undefined;

  // --- claims
  /** Written into tokens and demanded of them; `false` waives the check. @default tokens carry none, and one that has `aud` is refused */
  audience?: string | readonly string[] | false | undefined;
  /** Overrides `audience` for writing. */
  encodeAudience?: string | readonly string[] | undefined;
  /** Overrides `audience` for reading. */
  decodeAudience?: string | readonly string[] | false | undefined;
  /** Written into tokens and demanded of them; a list means any of them, the first is written. @default none */
  issuer?: string | readonly string[] | undefined;
  /** Overrides `issuer` for writing. */
  encodeIssuer?: string | undefined;
  /** Overrides `issuer` for reading. */
  decodeIssuer?: string | readonly string[] | undefined;
  /** Seconds by which clocks may differ, 0 to 300. @default 5 */
  leeway?: number | undefined;
  /** Whether `nbf` is written. @default false */
  encodeNbf?: boolean | undefined;
  /** The claim that holds the identity. @default "sub" */
  identityClaim?: string | undefined;
  /** Whether a `sub` that is no string is refused. @default true */
  verifySub?: boolean | undefined;
  /** Whether a token without `jti` is refused. @default true, but false for a service that only verifies and has no store */
  requireJti?: boolean | undefined;
  /** The claim that holds scopes: text with blanks between, or a list. @default "scope" */
  scopeClaim?: string | undefined;
  /** The claim that holds roles: a list of text. @default "roles" */
  rolesClaim?: string | undefined;
  /** A synchronous Standard Schema (zod, valibot, …) for the claims that are not reserved. */
  claimsSchema?: StandardSchema<unknown, Output> | undefined;

  // --- lifetimes
  /** @default "15m" */
  accessTokenExpires?: Duration | false | undefined;
  /** @default "30d" */
  refreshTokenExpires?: Duration | false | undefined;
  /** No access token lives longer; `false` removes the bound. @default "24h" */
  maxAccessLifetime?: Duration | false | undefined;
  /** No refresh token and no session lives longer; `false` removes the bound. @default "90d" */
  maxRefreshLifetime?: Duration | false | undefined;

  /** How long after a refresh the token before it still gets the same successor, 0 to 60 seconds; 0 is strict single use. @default "10s" */
  grace?: Duration | undefined;

  // --- locations
  /** Where tokens are looked for, in this order. @default ["headers"] */
  tokenLocation?: JwtLocation | readonly JwtLocation[] | undefined;
  /** @default "Authorization" */
  headerName?: string | undefined;
  /** The scheme in front of the token; `""` for none. @default "Bearer" */
  headerType?: string | undefined;
  /** @default "jwt" */
  queryStringName?: string | undefined;
  /** @default "" */
  queryStringValuePrefix?: string | undefined;
  /** @default "access_token" */
  jsonKey?: string | undefined;
  /** @default "refresh_token" */
  refreshJsonKey?: string | undefined;
  /** Bodies above this many bytes are refused with 413. @default 65536 */
  maxBodyBytes?: number | undefined;

  // --- cookies
  /** @default "access_token", with the prefix of `cookiePrefix` */
  accessCookieName?: string | undefined;
  /** @default "refresh_token", with the prefix of `cookiePrefix` */
  refreshCookieName?: string | undefined;
  /** @default "/" */
  accessCookiePath?: string | undefined;
  /** @default "/" */
  refreshCookiePath?: string | undefined;
  /** A domain, or a function of the request that gives one. @default none: the cookie is for this host alone */
  cookieDomain?: string | ((request: JwtRequest) => string | undefined) | undefined;
  /** @default true */
  cookieSecure?: boolean | undefined;
  /** @default "Lax" */
  cookieSameSite?: "Strict" | "Lax" | "None" | undefined;
  /** `true`: cookies end with the browser; `false`: they live as long as their token. @default false */
  sessionCookie?: boolean | undefined;
  /** `"auto"`: `__Host-` where domain and path allow it, else `__Secure-`; `""`: names as they are. @default "auto" */
  cookiePrefix?: "auto" | "" | undefined;
  /** Domains and paths of cookies that an earlier configuration set, cleared where they show up as duplicates. @default [] */
  legacyCookies?: readonly LegacyCookie[] | undefined;

  /** Whether guards renew the access cookie of a session in use once half of its life is over. Needs a store. @default false */
  implicitRefresh?: boolean | undefined;

  // --- CSRF
  /** Whether requests with a token cookie must prove where they come from. @default true */
  cookieCsrfProtect?: boolean | undefined;
  /** `"double-submit"`: origin checks and a submitted value; `"fetch-metadata"`: origin checks alone. @default "double-submit" */
  csrfMode?: CsrfMode | undefined;
  /** Origins, such as `"https://app.example.com"`, that may send cookie requests from another site. @default [] */
  trustedOrigins?: readonly string[] | undefined;
  /** The origin under which clients reach this service: where the `Host` header does not tell, and for `dpop`. @default none */
  publicOrigin?: string | undefined;
  /** The methods that need the CSRF value; any case. @default every method but GET, HEAD and OPTIONS */
  csrfMethods?: readonly string[] | undefined;
  /** Whether the value is also looked for in a form field. @default false */
  csrfCheckForm?: boolean | undefined;
  /** Whether the value is handed to pages in a readable cookie. @default true */
  csrfInCookies?: boolean | undefined;
  /** @default "csrf_access", with the prefix of `cookiePrefix` */
  accessCsrfCookieName?: string | undefined;
  /** @default "csrf_refresh", with the prefix of `cookiePrefix` */
  refreshCsrfCookieName?: string | undefined;
  /** @default "/" */
  accessCsrfCookiePath?: string | undefined;
  /** @default "/" */
  refreshCsrfCookiePath?: string | undefined;
  /** @default "X-CSRF-TOKEN" */
  accessCsrfHeaderName?: string | undefined;
  /** @default "X-CSRF-TOKEN" */
  refreshCsrfHeaderName?: string | undefined;
  /** @default "csrf_token" */
  accessCsrfFieldName?: string | undefined;
  /** @default "csrf_token" */
  refreshCsrfFieldName?: string | undefined;

  // --- proof of possession
  /** Whether tokens can be bound to a key of the client, who then proves at each request that it has it (RFC 9449). @default false */
  dpop?: DpopOptions | boolean | undefined;

  // --- answers
  /** The member of an error body that holds the sentence. @default "msg" */
  errorMessageKey?: string | undefined;

  // --- behaviour
  /** The functions an application may replace. */
  loaders?: Loaders<User, Identity> | undefined;
  /** Where sessions and revocations are remembered; `null` for none. @default a store in memory */
  store?: TokenStore | null | undefined;
  /** What a guard does when the store does not answer: `"deny"` gives 503. @default "deny" */
  onStoreError?: "deny" | "allow" | undefined;
  /** How long a store call may take. @default "1s" */
  storeTimeout?: Duration | undefined;
  /** The verified-token cache, or `false` for none. @default { entries: 1000, bytes: 4194304 } */
  verifyCache?: VerifyCacheOptions | boolean | undefined;
  /** Makes `getJwt()` and its family work without a request, at the cost of AsyncLocalStorage. @default false */
  ambientContext?: boolean | undefined;
  /** The present time in milliseconds. @default Date.now, read at each call */
  clock?: (() => number) | undefined;
  /** `"flask"` reads tokens and answers as Flask-JWT-Extended does. @default none */
  compat?: "flask" | undefined;
  /** Receives what must be said once at start. @default console.warn */
  warn?: ((message: string) => void) | undefined;
}
