/** A value, or a promise of one. */
export type MaybePromise<T> = T | Promise<T>;

/** A length of time: seconds as a number, or text such as `"90s"`, `"15m"`, `"12h"`, `"30d"`, `"2w"`. */
export type Duration = number | string;

/** What a token is for. */
export type TokenType = "access" | "refresh";

/** Where a token was found in a request. */
export type JwtLocation = "headers" | "cookies" | "query_string" | "json";

/** The JOSE header of a token (RFC 7515 §4). */
export interface JwtHeader {
  readonly alg: string;
  readonly typ?: string;
  readonly kid?: string;
  readonly [name: string]: unknown;
}

/** The claims this library writes and reads (RFC 7519 §4.1, and our own). Times are Unix seconds. */
export interface RegisteredClaims {
  readonly sub: string;
  readonly type: TokenType;
  readonly iat: number;
  readonly jti: string;
  readonly exp?: number;
  readonly nbf?: number;
  readonly iss?: string;
  readonly aud?: string | readonly string[];
  /** True, or the Unix second up to which the token counts as fresh. */
  readonly fresh: boolean | number;
  /** When the user last proved who they are. */
  readonly auth_time?: number;
  readonly csrf?: string;
  /** The session this token belongs to. */
  readonly sid?: string;
  /** The generation of a refresh token inside its session. */
  readonly gen?: number;
  /** The key that the token is bound to, by its thumbprint (RFC 7800, RFC 9449 §6.1). */
  readonly cnf?: { readonly jkt?: string };
}

/** Any further claims of a token, as found in it. */
export type AnyClaims = { readonly [name: string]: unknown };

/** What a guard hands on when a token passed. */
export interface AuthContext<User = undefined, Claims = AnyClaims> {
  readonly identity: string;
  readonly claims: Readonly<RegisteredClaims & Claims>;
  readonly header: Readonly<JwtHeader>;
  readonly location: JwtLocation;
  readonly user: User;
  readonly sessionId: string | undefined;
}

/** What a guard hands on when it let a request without a usable token pass. */
export interface Anonymous {
  readonly identity: null;
  readonly claims: null;
  readonly header: null;
  readonly location: null;
  readonly user: null;
  readonly sessionId: undefined;
  /** `"expired"` only under `optional: "lenient"`. */
  readonly reason: "missing" | "expired";
}

/** One or more wanted names: all of a list, or one of `{ any }`. */
export type Wanted = string | readonly string[] | { readonly any: readonly string[] };

/** What a guard's `verify` sees of a request. */
export interface GuardedRequest {
  readonly method: string;
  /** Path and query as received, undecoded. */
  readonly url: string;
  /** All lines of a header; the name is given in lower case. */
  header(name: string): readonly string[];
}

/** What a guard asks for. */
export interface GuardOptions<User = unknown, Claims = AnyClaims> {
  /** `true`: no token is fine, a bad one is 401. `"lenient"`: an expired one counts as none, too. Default `false`. */
  readonly optional?: boolean | "lenient" | undefined;
  /** `true`: the token must be fresh. A duration: the login must also be no older than that. Default `false`. */
  readonly fresh?: boolean | Duration | undefined;
  /** Asks for a refresh token instead of an access token. Default `false`. */
  readonly refresh?: boolean | undefined;
  /** Where to look, in this order. Default: the option `tokenLocation`. */
  readonly locations?: JwtLocation | readonly JwtLocation[] | undefined;
  /** `false` takes access and refresh tokens alike. Default `true`. */
  readonly verifyType?: boolean | undefined;
  /** Asks neither the store nor `tokenInBlocklist`. Default `false`. */
  readonly skipRevocationCheck?: boolean | undefined;
  /** Roles that the token must hold, 403 otherwise. */
  readonly roles?: Wanted | undefined;
  /** Scopes that the token must hold, 403 `insufficient_scope` otherwise. */
  readonly scopes?: Wanted | undefined;
  /** A last word of the route: `false` refuses with 403. */
  readonly verify?: ((auth: AuthContext<User, Claims>, request: GuardedRequest) => MaybePromise<boolean>) | undefined;
}

/** The answer of `createTokenPair` (RFC 6749 §5.1, RFC 9449 §5). `expires_in` is in seconds, absent if the access token never expires. */
export interface TokenPair {
  readonly access_token: string;
  readonly refresh_token: string;
  /** `DPoP` for a pair that is bound to a key. */
  readonly token_type: "Bearer" | "DPoP";
  readonly expires_in?: number;
}
