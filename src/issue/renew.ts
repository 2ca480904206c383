import { RESERVED_CLAIMS } from "../config/reserved.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { randomId } from "../crypto/random.ts";
import {
  DpopError,
  InvalidClaimsError,
  InvalidTokenError,
  JwtError,
  RevokedTokenError,
  raise,
  StoreUnavailableError,
  UserLookupError,
  withToken,
} from "../errors.ts";
import { keepLogin } from "../sessions/limits.ts";
import { judgeRotation } from "../sessions/outcome.ts";
import { revocationQuery } from "../sessions/query.ts";
import { refreshTokenId } from "../sessions/secrets.ts";
import { needStore, type StoreCalls } from "../sessions/store-calls.ts";
import { boundTo } from "../token/dpop.ts";
import type { MaybePromise, TokenPair } from "../types.ts";
import { type ClientInfo, clientOf } from "./client.ts";
import { assertType, type Decoded, decode } from "./decode.ts";
import type { Issuer } from "./issuer.ts";
import { prepare, type Subject, seal, withCarried } from "./mint.ts";
import { bondOf, refreshBondOf, tokenPair } from "./pair.ts";
import { expiryOf } from "./times.ts";

/** Who refreshes, and by which key. */
export interface RenewOptions extends ClientInfo {
  /** The thumbprint of the key that has just been proved, as `verifyDpopProof` gives it. A bound token needs it. */
  readonly jkt?: string | undefined;
}

/**
 * Exchanges a refresh token for the next pair. Everything that can refuse runs before the store is asked; then one
 * atomic step decides, and whoever races with the same token inside the grace gets the same successor.
 * @throws JwtError `session_required` for a token of no session, `session_unknown`, `session_ended`, `token_reused`, …
 */
export async function renewLogin(
  refreshToken: unknown,
  options: RenewOptions | undefined,
  issuer: Issuer,
): Promise<TokenPair> {
  const { config, events } = issuer;
  const store = needStore(issuer.store, "refreshTokenPair");
  const decoded = await decode(refreshToken, {}, issuer);
  assertType(decoded.claims, "refresh", issuer);
  const { sid, gen } = nameOf(decoded);
  const jkt = options?.jkt;
  const stranger = keyFault(boundTo(decoded.claims), jkt, config);
  // Whoever comes with another key is refused, and nothing is written; unless the token is spent, for then it is theft.
  const mayBeTheft = stranger?.code === "dpop_proof_invalid" && (await isSpent(sid, gen, store));
  if (stranger && !mayBeTheft) return raise(stranger);
  // Sessions do not know by which key their tokens were signed; everything else the exchange itself will tell.
  if (typeof decoded.header.kid === "string") await assertKey(decoded, store, config);
  const subject = await renewedSubject(decoded, config);
  const prepared = await prepare(subject, {}, config, false);
  const now = config.clock();
  const from = await clientOf(options, store);
  const issuedAt = Math.floor(now / 1000);
  const presented = {
    sid,
    subject: String(subject.identity),
    gen,
    nonce: randomId(),
    jkt,
    ...from,
    issuedAt,
    refreshExp: expiryOf("refresh", undefined, now, undefined, config),
    grace: config.grace,
    deadline: performance.now() + config.storeTimeout,
    endedUntil: keepLogin(["access"], now, await store.limits()),
  };
  const rotation = await store.rotate(presented);
  const before = rotation.row && { userAgent: rotation.row.userAgent, address: rotation.row.address };
  const row = judgeRotation(rotation, before, from, events);
  if (row instanceof JwtError) return raise(withToken(row, decoded));
  if (stranger) return raise(stranger);

  const carried = withCarried(prepared, subject.isKnown ? row.claims : carriedClaims(decoded, config), row.headers);
  const bond = bondOf(row, "access");
  const exp = expiryOf("access", undefined, now, bond.notAfter, config);
  const [access, refresh] = await Promise.all([
    seal("access", carried, exp, false, bond, now, config),
    // Whoever lost a race must get the very token of the winner: its times are those of the row.
    seal("refresh", carried, row.refreshExp, false, refreshBondOf(row), row.issuedAt * 1000, config),
  ]);
  return tokenPair(access, refresh, exp, now, row.jkt);
}

async function assertKey({ header, claims }: Decoded, store: StoreCalls, config: ResolvedConfig): Promise<void> {
  const answer = await store.isRevoked(revocationQuery(header, claims, config));
  if (answer instanceof JwtError) raise(answer);
  if (answer === true) raise(new RevokedTokenError("token_revoked"));
}

/** What is wrong with the key that a refresh token is presented by (RFC 9449 §5). */
function keyFault(bound: string | undefined, jkt: string | undefined, { dpop }: ResolvedConfig): DpopError | undefined {
  if (bound === jkt) return bound === undefined && dpop?.required ? new DpopError("token_unbound") : undefined;
  if (bound === undefined) return new DpopError("token_unbound");
  if (jkt === undefined) return new DpopError(dpop ? "dpop_proof_missing" : "token_bound");
  return new DpopError("dpop_proof_invalid", { detail: "the key is not the one that the token is bound to" });
}

/** Whether the session has gone on since this token. Read only. */
async function isSpent(sid: string, gen: number, store: StoreCalls): Promise<boolean> {
  const row = await store.read(sid);
  return row !== undefined && row.gen > gen;
}

/** The session and generation of a refresh token, which its `jti` must agree with. */
function nameOf({ claims }: Decoded): { sid: string; gen: number } {
  const { sid, gen, jti } = claims;
  if (typeof sid !== "string") return raise(new RevokedTokenError("session_required"));
  if (typeof gen !== "number" || !Number.isSafeInteger(gen) || gen < 0 || jti !== refreshTokenId(sid, gen)) {
    return raise(new InvalidTokenError("token_claim", { detail: "gen and jti are not those of a refresh token" }));
  }
  return { sid, gen };
}

/**
 * Who a refresh token speaks for. Loaders take what the application calls an identity: the user that was looked up, or
 * the text in the token, whichever `userIdentity` turns into that text again.
 */
export async function renewedSubject({ header, claims }: Decoded, config: ResolvedConfig): Promise<Subject> {
  const { tokenInBlocklist, tokenVerification, userIdentity, userLookup } = config.loaders;
  const identity = claims[config.identityClaim];
  if (await listed(() => tokenInBlocklist?.(header, claims as never)))
    return raise(new RevokedTokenError("token_revoked"));
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

/** A list that cannot be asked lets nobody go on. */
async function listed(ask: () => MaybePromise<boolean> | undefined): Promise<boolean> {
  try {
    return Boolean(await ask());
  } catch (error) {
    return raise(new StoreUnavailableError("store_unavailable", { cause: error, detail: "tokenInBlocklist threw" }));
  }
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
export function carriedClaims({ claims }: Decoded, config: ResolvedConfig): Record<string, unknown> {
  const carried = Object.entries(claims).filter(
    ([name]) => !RESERVED_CLAIMS.has(name) && name !== config.identityClaim,
  );
  return Object.fromEntries(carried);
}
