import type { Loaders } from "../config/loaders.ts";
import { RESERVED_CLAIMS, RESERVED_HEADERS } from "../config/reserved.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { SigningKey } from "../crypto/keys.ts";
import { randomId, randomUuid } from "../crypto/random.ts";
import { raise, UsageError } from "../errors.ts";
import { encodeToken } from "../token/encode.ts";
import { runSchema } from "../token/schema.ts";
import type { Duration, MaybePromise, TokenType } from "../types.ts";
import { freshness } from "./times.ts";

/** What a caller may say about one token. */
export interface MintOptions {
  /** `true`: fresh as long as it lives; a duration: fresh for that time. Only for access tokens. @default false */
  readonly fresh?: boolean | Duration | undefined;
  /** The lifetime; `false` for one without end, where `maxAccessLifetime` or `maxRefreshLifetime` allows it. */
  readonly expires?: Duration | false | undefined;
  /** Binds to the key of this thumbprint, as `verifyDpopProof` gives it; what a session is bound to wins. @default bound to none */
  readonly jkt?: string | undefined;
  /** Further claims; reserved names are refused. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Further header members; reserved names are refused. */
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
}

/** What the session of a token adds to it. Times in Unix seconds. */
export interface Bond {
  readonly sid?: string | undefined;
  readonly gen?: number | undefined;
  readonly jti?: string | undefined;
  readonly csrf?: string | undefined;
  readonly authTime?: number | undefined;
  /** The thumbprint of the key that the token is bound to. */
  readonly jkt?: string | undefined;
  /** The token does not outlive this. */
  readonly notAfter?: number | undefined;
}

/** The identity as it goes into a token, and as loaders see it. */
export interface Subject {
  readonly given: unknown;
  readonly identity: unknown;
  /** False where a token is all there is, and `userIdentity` cannot be undone: loaders are not asked then. */
  readonly isKnown: boolean;
}

/**
 * Turns what the application calls a user into the text that goes into a token.
 * @throws UsageError `identity_invalid` for anything but text that is not empty.
 */
export async function subjectOf(given: unknown, config: ResolvedConfig): Promise<Subject> {
  const { userIdentity } = config.loaders;
  const identity = userIdentity ? await userIdentity(given as never) : given;
  if (config.behaviour.textIdentity && (typeof identity !== "string" || identity === "")) {
    return raise(
      new UsageError("identity_invalid", {
        message: `The identity must be text that is not empty, not ${identity === "" ? "empty text" : typeof identity}. For numbers set loaders.userIdentity: (id: number) => String(id).`,
      }),
    );
  }
  return { given, identity, isKnown: true };
}

/** What loaders and caller add to a token, and the key that signs it: all that can refuse before anything is opened. */
export interface Prepared {
  readonly subject: Subject;
  readonly claims: Extra;
  readonly headers: Extra;
  readonly key: SigningKey;
}

/**
 * Runs the loaders and checks what goes into a token.
 * @throws UsageError for reserved names, claims that the schema refuses, and keys that cannot sign.
 */
export async function prepare(
  subject: Subject,
  options: MintOptions,
  config: ResolvedConfig,
  checkSchema = true,
): Promise<Prepared> {
  const { additionalClaims, additionalHeaders }: Loaders<unknown, never> = subject.isKnown ? config.loaders : {};
  const loadedClaims = additionalClaims && (await additionalClaims(subject.given as never));
  const claims = additional([loadedClaims, options.claims], RESERVED_CLAIMS, "claim_reserved", config);
  if (checkSchema && config.claimsSchema) assertSchema(claims, config);
  const loadedHeaders = additionalHeaders && (await additionalHeaders(subject.given as never));
  const headers = additional([loadedHeaders, options.headers], RESERVED_HEADERS, "header_reserved", config);
  return { subject, claims, headers, key: await signingKey(subject.given, config) };
}

/** Lays what a login was given over the answers of the loaders, as at the login. */
export function withCarried(prepared: Prepared, claims: object, headers: object): Prepared {
  return {
    ...prepared,
    claims: [...prepared.claims, ...Object.entries(claims)],
    headers: [...prepared.headers, ...Object.entries(headers)],
  };
}

/** Signs one token at `now` (milliseconds). `exp` in Unix seconds, from `expiryOf`. */
export function seal(
  type: TokenType,
  { subject, claims: extra, headers, key }: Prepared,
  exp: number | undefined,
  fresh: MintOptions["fresh"],
  bond: Bond,
  now: number,
  config: ResolvedConfig,
): MaybePromise<string> {
  const { behaviour } = config;
  const iat = Math.floor(now / 1000);
  const newId = behaviour.uuidIds ? randomUuid : randomId;
  const claims: Record<string, unknown> = { fresh: false, iat, jti: bond.jti ?? newId(), type };
  claims[config.identityClaim] = subject.identity;
  if (config.encodeNbf) claims.nbf = iat;
  if (exp !== undefined) claims.exp = exp;
  if (config.encodeIssuer) claims.iss = config.encodeIssuer;
  if (config.encodeAudience) claims.aud = config.encodeAudience;
  if (config.csrf.protect && (behaviour.csrfEverywhere || config.locations.includes("cookies")))
    claims.csrf = bond.csrf ?? newId();
  if (bond.jkt !== undefined) claims.cnf = { jkt: bond.jkt };
  if (bond.sid !== undefined) claims.sid = bond.sid;
  if (bond.gen !== undefined) claims.gen = bond.gen;
  if (type === "access") Object.assign(claims, freshness(fresh, now, bond.authTime, config));
  else if (bond.authTime !== undefined) claims.auth_time = bond.authTime;
  for (const [name, value] of extra) own(claims, name, value);
  return encodeToken(key, headers.length === 0 ? undefined : fromEntries(headers), claims);
}

type Extra = Array<[name: string, value: unknown]>;

function additional(
  sources: readonly unknown[],
  reserved: ReadonlySet<string>,
  code: "claim_reserved" | "header_reserved",
  config: ResolvedConfig,
): Extra {
  const extra: Extra = [];
  for (const source of sources) {
    if (source === undefined || source === null) continue;
    if (typeof source !== "object")
      return raise(
        new UsageError("claims_invalid", { message: "Additional claims and headers must be plain objects." }),
      );
    extra.push(...Object.entries(source));
  }
  for (const [name, value] of extra) {
    if (name === "kid" && code === "header_reserved" && typeof value !== "string") {
      return raise(
        new UsageError("claims_invalid", { message: "The header member kid must be text (RFC 7515 §4.1.4)." }),
      );
    }
    const isReserved = reserved.has(name) || (code === "claim_reserved" && name === config.identityClaim);
    if (
      config.behaviour.guardReserved
        ? isReserved && !(name === "kid" && code === "header_reserved")
        : name === "alg" && code === "header_reserved"
    ) {
      const kind = code === "claim_reserved" ? "claim" : "header member";
      return raise(
        new UsageError(code, { message: `The library writes the ${kind} "${name}" itself; give yours another name.` }),
      );
    }
  }
  return extra;
}

/** The schema must accept at the making what it will be shown at the reading. */
function assertSchema(extra: Extra, config: ResolvedConfig): void {
  const { issues } = runSchema(config.claimsSchema as NonNullable<typeof config.claimsSchema>, fromEntries(extra));
  if (!issues) return;
  const detail = issues.map(({ message }) => message).join("; ");
  raise(new UsageError("claims_invalid", { message: "claimsSchema refuses the claims of this token.", detail }));
}

async function signingKey(given: unknown, { keys, loaders }: ResolvedConfig): Promise<SigningKey> {
  if (loaders.encodeKey) return keys.importSigning(await loaders.encodeKey(given as never));
  return (
    keys.signing ??
    raise(
      new UsageError("key_unusable", {
        message: `There is no key to sign ${keys.algorithm} tokens with: set secretKey or privateKey.`,
      }),
    )
  );
}

/** Sets a member even if it is called `__proto__`. */
function own(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}

const fromEntries = (entries: Extra): Record<string, unknown> => Object.fromEntries(entries);
