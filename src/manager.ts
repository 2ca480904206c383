import type { JwtOptions } from "./config/options.ts";
import { type ResolvedConfig, resolveConfig } from "./config/resolve.ts";
import { JwtError, raise, UsageError } from "./errors.ts";
import { MISSING } from "./guard/auth-context.ts";
import { compileGuard, needsBody } from "./guard/compile.ts";
import type { GuardOutcome, GuardRule } from "./guard/passage.ts";
import { type Admitted, admit, isExempt } from "./guard/pipeline.ts";
import { compilePublicPaths } from "./guard/public-paths.ts";
import { replyTo } from "./guard/reply.ts";
import type { JwtReply, JwtRequest } from "./http/types.ts";
import {
  type CookieSettings,
  cookieHeaders,
  type SendTokensOptions,
  tokensReply,
  unsetCookieHeaders,
} from "./issue/cookies.ts";
import { csrfOf, type DecodeOptions, decode } from "./issue/decode.ts";
import type { Issuer } from "./issue/issuer.ts";
import { createToken, openLogin, type PairOptions, renewLogin, type TokenOptions } from "./issue/login.ts";
import { revokeSession, revokeSubject, revokeToken } from "./issue/revoke.ts";
import { storeCalls } from "./sessions/store-calls.ts";
import { tokenRules } from "./token/policy.ts";
import { createVerifier, readHeader, type TokenVerifier } from "./token/verify.ts";
import type {
  Anonymous,
  AnyClaims,
  AuthContext,
  GuardOptions,
  JwtHeader,
  MaybePromise,
  RegisteredClaims,
  TokenPair,
} from "./types.ts";

export type { CookieSettings, SendTokensOptions } from "./issue/cookies.ts";
export type { DecodeOptions } from "./issue/decode.ts";
export type { PairOptions, TokenOptions } from "./issue/login.ts";

const EXEMPT = Object.freeze({ ok: true, auth: undefined, headers: Object.freeze([]) }) as GuardOutcome<never, never>;
const NO_VERIFIER: TokenVerifier = Object.freeze<TokenVerifier>({
  cacheSize: 0,
  verify: () =>
    raise(
      new UsageError("key_unusable", { message: "There is no key to verify tokens with: set secretKey or publicKey." }),
    ),
});

/** A guard over neutral requests. */
export interface Guard<User, Claims> {
  /** Whether a body may have to be read. */
  readonly needsBody: boolean;
  check(request: JwtRequest): MaybePromise<GuardOutcome<User, Claims>>;
}

/** Options of `manager.protect`. */
export type PublicGuardOptions<User, Claims> = GuardOptions<User, Claims> & {
  readonly public?: readonly string[] | undefined;
};

/**
 * Makes, checks, renews and revokes the tokens of one application, after the options given here. The types of the
 * user, of the further claims and of the identity follow from `loaders` and `claimsSchema`.
 *
 * @example
 * const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY });
 * const { jwtRequired } = expressJwt(jwt);
 *
 * @throws ConfigError with every fault of the options at once.
 */
export class JWTManager<User = undefined, Claims = AnyClaims, Identity = string> {
  /** The options as resolved and frozen. */
  readonly config: ResolvedConfig;
  readonly #issuer: Issuer;

  constructor(options: JwtOptions<User, Claims, Identity>) {
    this.config = resolveConfig(options as unknown as JwtOptions<never, never, never>);
    const { keys, verifyCache } = this.config;
    const verifier = keys.verifying
      ? createVerifier(keys.verifying, tokenRules(this.config), verifyCache)
      : NO_VERIFIER;
    this.#issuer = Object.freeze({ config: this.config, verifier, store: storeCalls(this.config) });
  }

  /**
   * Makes an access token. It belongs to no session unless one is given: `{ session: auth }`.
   * @throws UsageError for an identity, a lifetime or claims that cannot go into a token.
   */
  createAccessToken(identity: Identity, options: TokenOptions = {}): Promise<string> {
    return createToken("access", identity, options, this.#issuer);
  }

  /** Makes a refresh token that belongs to no session unless one is given. It can be exchanged by hand, not renewed. */
  createRefreshToken(identity: Identity, options: Omit<TokenOptions, "fresh"> = {}): Promise<string> {
    return createToken("refresh", identity, options, this.#issuer);
  }

  /**
   * Logs a user in: opens a session and makes its access and refresh token (RFC 6749 §5.1).
   * @throws JwtError `store_unavailable` when the session cannot be remembered.
   */
  createTokenPair(identity: Identity, options: PairOptions = {}): Promise<TokenPair> {
    return openLogin(identity, options, this.#issuer);
  }

  /**
   * Renews a login: answers a new access token beside the refresh token. Code that cannot hand the answer to the
   * client, such as a server-side renderer, must not call it.
   * @throws JwtError the refusal: expired, revoked, session ended, of no session, of the wrong type …
   */
  refreshTokenPair(refreshToken: string): Promise<TokenPair> {
    return renewLogin(refreshToken, this.#issuer);
  }

  /** Revokes one token until it would have expired. Verifies it first; an expired one is fine. */
  revokeToken(token: string): Promise<void> {
    return revokeToken(token, this.#issuer);
  }

  /** Logs a session out: its access and refresh tokens die together, at once. Twice is fine. */
  revokeSession(sessionId: string): Promise<void> {
    return revokeSession(sessionId, this.#issuer);
  }

  /** Logs a user out everywhere: every token and session that began up to now. A login right after it is good. */
  revokeSubject(subject: string): Promise<void> {
    return revokeSubject(subject, this.#issuer);
  }

  /**
   * Verifies a token outside of any request and gives its claims as signed. It asks neither the store nor the loaders.
   * @throws JwtError the refusal.
   */
  async decodeToken(token: string, options: DecodeOptions = {}): Promise<Readonly<RegisteredClaims & AnyClaims>> {
    return (await decode(token, options, this.#issuer)).claims as Readonly<RegisteredClaims & AnyClaims>;
  }

  /** The `jti` of a token, which is verified first. An expired token is refused. */
  async getJti(token: string): Promise<string> {
    return (await this.decodeToken(token)).jti;
  }

  /** The CSRF value of a token, which is verified first, for pages that do not read it from a cookie. */
  getCsrfToken(token: string): Promise<string> {
    return csrfOf(token, this.#issuer);
  }

  /**
   * The header of a token, **unverified**: anybody can write one.
   * @throws InvalidTokenError for text that has no token's form.
   */
  getUnverifiedHeader(token: string): Readonly<JwtHeader> {
    const header = readHeader(token, tokenRules(this.config));
    return header instanceof JwtError ? raise(header) : header;
  }

  /**
   * Checks a request by hand, as every guard does, without letting any preflight pass.
   * @throws JwtError the refusal.
   */
  async verifyRequest(
    request: JwtRequest,
    options: GuardOptions<User, Claims> = {},
  ): Promise<AuthContext<User, Claims> | Anonymous> {
    const rule = this.#rule(options);
    if (!this.config.behaviour.preflightOnly && isExempt(request, rule)) return MISSING;
    const admitted = await admit(request, rule);
    return admitted instanceof JwtError ? raise(admitted) : (admitted.auth as AuthContext<User, Claims> | Anonymous);
  }

  /**
   * Compiles a guard once, for adapters.
   * @throws ConfigError for options that can never let a token pass.
   */
  guard(options: GuardOptions<User, Claims> = {}): Guard<User, Claims> {
    const rule = this.#rule(options);
    return {
      needsBody: needsBody(rule),
      check: (request) => {
        if (isExempt(request, rule)) return EXEMPT;
        const admitted = admit(request, rule);
        return admitted instanceof Promise
          ? admitted.then((late) => this.#outcome(late, request))
          : this.#outcome(admitted, request);
      },
    };
  }

  /** Compiles a guard for a whole application, with paths that need no token. */
  protect(options: PublicGuardOptions<User, Claims> = {}): Guard<User, Claims> {
    const { public: entries, ...rest } = options;
    const isPublic = compilePublicPaths(entries);
    const guard = this.guard(rest);
    return { needsBody: guard.needsBody, check: (request) => (isPublic(request) ? EXEMPT : guard.check(request)) };
  }

  /** The answer to a refusal: of its error loader, of `loaders.error`, or the default one. */
  async replyTo(error: JwtError, request: JwtRequest): Promise<JwtReply> {
    return replyTo(error, request, this.config);
  }

  /** The headers that put a token into cookies, for adapters. */
  cookieHeaders(
    type: "access" | "refresh",
    token: string,
    settings: CookieSettings = {},
    request?: JwtRequest,
  ): Promise<JwtReply["headers"]> {
    return cookieHeaders(type, token, settings, request, this.#issuer);
  }

  /** The headers that clear cookies, for adapters. */
  unsetCookieHeaders(
    types: readonly ("access" | "refresh")[],
    settings: CookieSettings = {},
    request?: JwtRequest,
  ): JwtReply["headers"] {
    return unsetCookieHeaders(types, settings, request, this.config);
  }

  /** The answer that hands out a pair, for adapters. */
  tokensReply(tokens: TokenPair, options: SendTokensOptions = {}, request?: JwtRequest): Promise<JwtReply> {
    return tokensReply(tokens, options, request, this.#issuer);
  }

  #rule(options: GuardOptions<User, Claims>): GuardRule {
    const { verifier, store } = this.#issuer;
    return compileGuard(options as GuardOptions<never, never>, this.config, verifier, store);
  }

  #outcome(admitted: Admitted | JwtError, request: JwtRequest): MaybePromise<GuardOutcome<User, Claims>> {
    if (!(admitted instanceof JwtError)) {
      return { ok: true, auth: admitted.auth as AuthContext<User, Claims> | Anonymous, headers: admitted.headers };
    }
    const reply = replyTo(admitted, request, this.config);
    const refused = (ready: JwtReply): GuardOutcome<User, Claims> => ({ ok: false, error: admitted, reply: ready });
    return reply instanceof Promise ? reply.then(refused) : refused(reply);
  }
}
