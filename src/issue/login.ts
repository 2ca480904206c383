import { RESERVED_CLAIMS } from "../config/reserved.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { InvalidClaimsError, JwtError, RevokedTokenError, raise, UserLookupError } from "../errors.ts";
import { absoluteEnd } from "../sessions/limits.ts";
import { revocationQuery } from "../sessions/query.ts";
import { refreshTokenId, sessionCsrf } from "../sessions/secrets.ts";
import { needStore, type StoreCalls } from "../sessions/store-calls.ts";
import type { SessionRow } from "../stores/contract.ts";
import type { Duration, MaybePromise, TokenPair, TokenType } from "../types.ts";
import { assertType, type Decoded, decode } from "./decode.ts";
import type { Issuer } from "./issuer.ts";
import { type Bond, type MintOptions, prepare, type Subject, seal, subjectOf } from "./mint.ts";
import { expiryOf } from "./times.ts";

/** What a caller may say about a pair. */
export interface PairOptions extends Omit<MintOptions, "expires"> {
  /** The lifetime of the access token. */
  readonly expires?: Duration | false | undefined;
  /** The lifetime of the refresh token. */
  readonly refreshExpires?: Duration | false | undefined;
}

/** What a caller may say about one token made by hand. */
export interface TokenOptions extends MintOptions {
  /** Binds the token to the session of this one: its `sid`, its login time and its CSRF value. */
  readonly session?: { readonly sessionId: string | undefined } | undefined;
}

/** Makes one token. It belongs to no session, unless one is named. */
export async function createToken(
  type: TokenType,
  identity: unknown,
  options: TokenOptions,
  issuer: Issuer,
): Promise<string> {
  const { config } = issuer;
  const subject = await subjectOf(identity, config);
  const sid = options.session?.sessionId;
  const now = config.clock();
  const prepared = await prepare(subject, options, config);
  const bond = sid === undefined ? {} : bondOf(await liveSession(sid, subject, now, issuer), type);
  const exp = expiryOf(type, options.expires, now, bond.notAfter, config);
  return await seal(type, prepared, exp, options.fresh, bond, now, config);
}

/** Opens a session and makes its first access and refresh token; a login. */
export async function openLogin(identity: unknown, options: PairOptions, issuer: Issuer): Promise<TokenPair> {
  const { config, store } = issuer;
  const subject = await subjectOf(identity, config);
  const now = config.clock();
  const prepared = await prepare(subject, options, config);
  const sessions = store !== undefined && config.behaviour.sessions;
  const end = sessions ? absoluteEnd(now, config) : Number.POSITIVE_INFINITY;
  const exps = {
    access: expiryOf("access", options.expires, now, Math.floor(end / 1000), config),
    refresh: expiryOf("refresh", options.refreshExpires, now, Math.floor(end / 1000), config),
  };
  const authTime = Math.floor(now / 1000);
  const opening = {
    subject: String(subject.identity),
    authTime,
    absoluteEnd: end,
    issuedAt: authTime,
    refreshExp: exps.refresh,
    claims: structuredClone(options.claims ?? {}),
    headers: structuredClone(options.headers ?? {}),
  };
  const row = sessions ? await store.open(opening) : undefined;
  const named = row && { gen: row.gen, jti: refreshTokenId(row.sid, row.gen) };
  const [access, refresh] = await Promise.all([
    seal("access", prepared, exps.access, options.fresh, row ? bondOf(row, "access") : {}, now, config),
    seal("refresh", prepared, exps.refresh, false, row ? { ...bondOf(row, "refresh"), ...named } : {}, now, config),
  ]);
  return tokenPair(access, refresh, exps.access, now);
}

/**
 * Renews a login: a new access token, never fresh, beside the refresh token that was presented.
 * @throws JwtError `session_required` for a refresh token of no session, `session_ended`, `token_revoked`, …
 */
export async function renewLogin(refreshToken: unknown, issuer: Issuer): Promise<TokenPair> {
  const { config } = issuer;
  const decoded = await decode(refreshToken, {}, issuer);
  assertType(decoded.claims, "refresh", issuer);
  const store = needStore(issuer.store, "refreshTokenPair");
  const sid = decoded.claims.sid;
  if (typeof sid !== "string") return raise(new RevokedTokenError("session_required"));
  const subject = await renewedSubject(decoded, config);
  await assertNotRevoked(decoded, store, config);
  const now = config.clock();
  const row = await liveSession(sid, subject, now, issuer);
  const claims = subject.isKnown ? row.claims : carriedClaims(decoded, config);
  const prepared = await prepare(subject, { claims, headers: row.headers }, config);
  const bond = bondOf(row, "access");
  const exp = expiryOf("access", undefined, now, bond.notAfter, config);
  return tokenPair(await seal("access", prepared, exp, false, bond, now, config), refreshToken as string, exp, now);
}

/**
 * Who a refresh token speaks for. Loaders take what the application calls an identity: the user that was looked up, or
 * the text in the token, whichever `userIdentity` turns into that text again.
 */
async function renewedSubject({ header, claims }: Decoded, config: ResolvedConfig): Promise<Subject> {
  const { tokenVerification, userIdentity, userLookup } = config.loaders;
  const identity = claims[config.identityClaim];
  if (tokenVerification && !(await tokenVerification(header, claims as never))) {
    return raise(new InvalidClaimsError("invalid_claims"));
  }
  const user = userLookup ? await userLookup(header, claims as never) : undefined;
  if (userLookup && (user === null || user === undefined)) return raise(new UserLookupError("user_not_found"));
  if (!userIdentity) return { given: identity, identity, isKnown: true };
  for (const given of [user, identity]) {
    if (given !== undefined && (await identityOf(given, userIdentity)) === identity)
      return { given, identity, isKnown: true };
  }
  return { given: identity, identity, isKnown: false };
}

/** What `userIdentity` makes of a value; nothing where it was written for something else. */
async function identityOf(
  value: unknown,
  userIdentity: (value: never) => MaybePromise<string>,
): Promise<string | undefined> {
  try {
    return await userIdentity(value as never);
  } catch {
    return undefined;
  }
}

/** The claims that go on where the loaders cannot be asked: all that the library did not write. */
function carriedClaims({ claims }: Decoded, config: ResolvedConfig): Record<string, unknown> {
  const carried = Object.entries(claims).filter(
    ([name]) => !RESERVED_CLAIMS.has(name) && name !== config.identityClaim,
  );
  return Object.fromEntries(carried);
}

async function assertNotRevoked({ header, claims }: Decoded, store: StoreCalls, config: ResolvedConfig): Promise<void> {
  const answer = await store.isRevoked(revocationQuery(claims, config));
  if (answer instanceof JwtError) raise(answer);
  const listed = await config.loaders.tokenInBlocklist?.(header, claims as never);
  if (answer === true || listed) raise(new RevokedTokenError("token_revoked"));
}

/** The row of a session that is still good, and belongs to this subject. */
async function liveSession(sid: string, subject: Subject, now: number, { store }: Issuer): Promise<SessionRow> {
  const row = await needStore(store, "A token of a session").read(sid);
  if (!row || row.subject !== subject.identity) return raise(new RevokedTokenError("session_unknown"));
  if (row.endedAt !== undefined || row.absoluteEnd <= now) return raise(new RevokedTokenError("session_ended"));
  return row;
}

function bondOf(row: SessionRow, type: TokenType): Bond {
  return {
    sid: row.sid,
    csrf: sessionCsrf(row, type),
    authTime: row.authTime,
    notAfter: Math.floor(row.absoluteEnd / 1000),
  };
}

function tokenPair(access_token: string, refresh_token: string, exp: number | undefined, now: number): TokenPair {
  const pair = { access_token, refresh_token, token_type: "Bearer" } as const;
  return exp === undefined ? pair : { ...pair, expires_in: exp - Math.floor(now / 1000) };
}
