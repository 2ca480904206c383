import { RevokedTokenError, raise, UsageError } from "../errors.ts";
import { absoluteEnd } from "../sessions/limits.ts";
import { needStore } from "../sessions/store-calls.ts";
import type { SessionRow } from "../stores/contract.ts";
import { isOver } from "../stores/rotation.ts";
import type { Duration, TokenPair, TokenType } from "../types.ts";
import { type ClientInfo, clientOf, UNKNOWN_CLIENT } from "./client.ts";
import type { Issuer } from "./issuer.ts";
import { type MintOptions, prepare, type Subject, seal, subjectOf } from "./mint.ts";
import { bondOf, refreshBondOf, tokenPair } from "./pair.ts";
import { expiryOf } from "./times.ts";

/** What a caller may say about a pair. */
export interface PairOptions extends Omit<MintOptions, "expires"> {
  /** Who logs in, for the list of sessions. The address is kept as a keyed hash only. */
  readonly client?: ClientInfo | undefined;
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
  const jkt = thumbprintOf(options);
  const bond = sid === undefined ? { jkt } : bondOf(await liveSession(sid, subject, now, issuer), type);
  const exp = expiryOf(type, options.expires, now, bond.notAfter, config);
  return await seal(type, prepared, exp, options.fresh, bond, now, config);
}

/** @throws UsageError for what is no thumbprint of a key (RFC 7638): such a token could never be used. */
function thumbprintOf({ jkt }: MintOptions): string | undefined {
  if (jkt === undefined || /^[A-Za-z0-9_-]{43}$/.test(jkt)) return jkt;
  return raise(new UsageError("claims_invalid", { message: "jkt must be the thumbprint that verifyDpopProof gives." }));
}

/** Opens a session and makes its first access and refresh token; a login. */
export async function openLogin(identity: unknown, options: PairOptions, issuer: Issuer): Promise<TokenPair> {
  const { config, store, events } = issuer;
  const jkt = thumbprintOf(options);
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
  const client = sessions ? await clientOf(options.client, store) : UNKNOWN_CLIENT;
  const opening = {
    subject: String(subject.identity),
    authTime,
    absoluteEnd: end,
    issuedAt: authTime,
    refreshExp: exps.refresh,
    claims: structuredClone(options.claims ?? {}),
    headers: structuredClone(options.headers ?? {}),
    jkt,
    ...client,
  };
  const row = sessions ? await store.open(opening) : undefined;
  if (row) events.emit("issued", { subject: row.subject, sessionId: row.sid, ...client });
  const [access, refresh] = await Promise.all([
    seal("access", prepared, exps.access, options.fresh, row ? bondOf(row, "access") : { jkt }, now, config),
    seal("refresh", prepared, exps.refresh, false, row ? refreshBondOf(row) : { jkt }, now, config),
  ]);
  return tokenPair(access, refresh, exps.access, now, jkt);
}

/** The row of a session that is still good, and belongs to this subject. */
async function liveSession(sid: string, subject: Subject, now: number, { store }: Issuer): Promise<SessionRow> {
  const row = await needStore(store, "A token of a session").read(sid);
  if (!row || row.subject !== subject.identity) return raise(new RevokedTokenError("session_unknown"));
  if (isOver(row, now)) return raise(new RevokedTokenError("session_ended"));
  return row;
}
