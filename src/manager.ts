import type { JwtOptions } from "./config/options.ts";
import { type ResolvedConfig, resolveConfig } from "./config/resolve.ts";
import { JwtError, raise, tokenOf, UsageError } from "./errors.ts";
import { createEmitter, type JwtEventName, type JwtListener } from "./events.ts";
import { MISSING } from "./guard/auth-context.ts";
import { compileGuard, needsBody } from "./guard/compile.ts";
import type { GuardOutcome, GuardRule } from "./guard/passage.ts";
import { type Admitted, admit, isExempt } from "./guard/pipeline.ts";
import { createProofGate, type ProofGate } from "./guard/proof-gate.ts";
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
import { createToken, openLogin, type PairOptions, type TokenOptions } from "./issue/login.ts";
import { type RenewOptions, renewLogin } from "./issue/renew.ts";
import { revokeEverything, revokeSession, revokeSubject, revokeToken } from "./issue/revoke.ts";
import { isDue, slide } from "./issue/slide.ts";
import { createStats, type ManagerStats } from "./metrics.ts";
import { type SessionInfo, sessionInfo } from "./sessions/listing.ts";
import { needStore, storeCalls } from "./sessions/store-calls.ts";
import { isOver } from "./stores/rotation.ts";
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

export type { ClientInfo } from "./issue/client.ts";
export type { CookieSettings, SendTokensOptions } from "./issue/cookies.ts";
export type { DecodeOptions } from "./issue/decode.ts";
export type { PairOptions, TokenOptions } from "./issue/login.ts";
export type { RenewOptions } from "./issue/renew.ts";
export type { SessionInfo } from "./sessions/listing.ts";

const EXEMPT = Object.freeze({ ok: true, auth: undefined, headers: Object.freeze([]) }) as GuardOutcome<never, never>;
const NO_VERIFIER: TokenVerifier = Object.freeze<TokenVerifier>({
  cacheSize: 0,
  recall: () => undefined,
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
  readonly #proofs: ProofGate | undefined;
  readonly #stats: () => ManagerStats;
  readonly #told = new WeakSet<JwtError>();
  /** The guard of `verifyRequest` without options, read at its first call. */
  #plainRule: GuardRule | undefined;

  constructor(options: JwtOptions<User, Claims, Identity>) {
    this.config = resolveConfig(options as unknown as JwtOptions<never, never, never>);
    const { keys, verifyCache } = this.config;
    const verifier = keys.verifying
      ? createVerifier(keys.verifying, tokenRules(this.config), verifyCache)
      : NO_VERIFIER;
    const events = createEmitter(this.config.warn);
    this.#stats = createStats(events, this.config.store);
    const store = storeCalls(this.config, events);
    this.#issuer = Object.freeze({ config: this.config, verifier, store, events });
    const { dpop } = this.config;
    this.#proofs = dpop && store && createProofGate(dpop, store);
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
   * Exchanges a refresh token for the next pair; each works once. Whoever comes again with the same one within `grace`,
   * such as a second tab or a retry after a lost answer, gets the same successor; later it counts as theft, and the
   * session ends. Code that cannot hand the answer to the client, such as a server-side renderer, must not call it.
   * @throws JwtError the refusal: expired, revoked, session ended, reused, of no session, of the wrong type …
   */
  refreshTokenPair(refreshToken: string, options?: RenewOptions): Promise<TokenPair> {
    return renewLogin(refreshToken, options, this.#issuer);
  }

  /**
   * The thumbprint of the key that signed the DPoP proof of a request, to be given to `createTokenPair` and `refreshTokenPair` as
   * `jkt`. It spends the proof. `undefined` where none came and `dpop` does not require one (RFC 9449 §5).
   * @throws JwtError `dpop_proof_invalid`, `dpop_proof_used`, `dpop_nonce_required`, `store_unavailable`, …
   */
  async verifyDpopProof(request: JwtRequest): Promise<string | undefined> {
    const proofs = this.#proofs ?? raise(new UsageError("dpop_off", { message: "Set the option dpop first." }));
    if (!this.config.dpop?.required && request.header("dpop").length === 0) return undefined;
    const proof = await proofs.take(request, {}, this.config.clock());
    if (!(proof instanceof JwtError)) return proof.jkt;
    this.#denied(proof);
    return raise(proof);
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

  /** Logs everybody out: every token and session that began up to now. */
  revokeEverything(): Promise<void> {
    return revokeEverything(this.#issuer);
  }

  /** The live sessions of a subject, the newest first. `current` is the session that asks, to be marked. */
  async listSessions(subject: string, current?: string): Promise<readonly SessionInfo[]> {
    const rows = await needStore(this.#issuer.store, "listSessions").list(subject);
    return rows.map((row) => sessionInfo(row, current));
  }

  /** One session, `undefined` where it does not exist or is over. */
  async getSession(sessionId: string): Promise<SessionInfo | undefined> {
    const row = await needStore(this.#issuer.store, "getSession").read(sessionId);
    return row && !isOver(row, this.config.clock()) ? sessionInfo(row, undefined) : undefined;
  }

  /** Ends all sessions of a subject but one: "log out my other devices". Answers how many ended. */
  async revokeOtherSessions(subject: string, keep: string): Promise<number> {
    const others = (await this.listSessions(subject)).filter(({ sessionId }) => sessionId !== keep);
    await Promise.all(others.map(({ sessionId }) => this.revokeSession(sessionId)));
    return others.length;
  }

  /** Removes from the store what no token can need any more. Stores do so by themselves now and then. */
  purge(): Promise<number> {
    return needStore(this.#issuer.store, "purge").purge();
  }

  /** Numbers since the manager was made: refusals, calls of the store, and what a replica holds. */
  stats(): ManagerStats {
    return this.#stats();
  }

  /**
   * Hears what happens to logins and to the store; gives the function that stops it. No token ever stands in an event.
   * @example jwt.on("reused", ({ subject, userAgent }) => log.warn({ subject, userAgent }, "stolen refresh token"));
   */
  on<Name extends JwtEventName>(name: Name, listener: JwtListener<Name>): () => void {
    return this.#issuer.events.on(name, listener);
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
    options?: GuardOptions<User, Claims>,
  ): Promise<AuthContext<User, Claims> | Anonymous> {
    this.#plainRule ??= this.#rule({});
    const rule = options === undefined ? this.#plainRule : this.#rule(options);
    if (!this.config.behaviour.preflightOnly && isExempt(request, rule)) return MISSING;
    const admitted = await admit(request, rule);
    if (admitted instanceof JwtError) this.#denied(admitted);
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
    this.#denied(error);
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

  #denied(error: JwtError): void {
    // One refusal may pass here twice: thrown by hand, and answered later.
    if (this.#told.has(error)) return;
    this.#told.add(error);
    const claims = tokenOf(error)?.claims;
    const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
    const subject = text(claims?.[this.config.identityClaim]);
    this.#issuer.events.emit("denied", { code: error.code, subject, sessionId: text(claims?.sid) });
  }

  #rule(options: GuardOptions<User, Claims>): GuardRule {
    const { verifier, store } = this.#issuer;
    return compileGuard(options as GuardOptions<never, never>, this.config, verifier, store, this.#proofs);
  }

  #outcome(admitted: Admitted | JwtError, request: JwtRequest): MaybePromise<GuardOutcome<User, Claims>> {
    if (!(admitted instanceof JwtError)) {
      const passed = admitted as GuardOutcome<User, Claims>;
      const known = admitted.auth.claims === null ? undefined : (admitted.auth as AuthContext<unknown, AnyClaims>);
      if (!known || !isDue(known, request, this.config)) return passed;
      return slide(known, request, this.#issuer).then((more) => ({
        ...passed,
        headers: [...admitted.headers, ...more],
      }));
    }
    this.#denied(admitted);
    const reply = replyTo(admitted, request, this.config);
    const refused = (ready: JwtReply): GuardOutcome<User, Claims> => ({ ok: false, error: admitted, reply: ready });
    return reply instanceof Promise ? reply.then(refused) : refused(reply);
  }
}
