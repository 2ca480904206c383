/**
 * Every code that a refusal or a mistake can carry, with its HTTP status and the sentence a client sees.
 * The sentence never holds input: no token, no claim, no key. `docs/errors.md` lists the same rows.
 */
export const ERROR_CODES = {
  token_missing: [401, "No token was sent"],
  invalid_request: [400, "The request carries its token in a malformed or ambiguous way"],
  body_too_large: [413, "The request body is too large"],
  token_invalid: [401, "Token is invalid"],
  token_not_yet_valid: [401, "Token is not valid yet"],
  token_issuer: [401, "Token comes from another issuer"],
  token_audience: [401, "Token is meant for another audience"],
  token_claim: [401, "Token has a missing or malformed claim"],
  wrong_token_type: [401, "Token is of the wrong type"],
  ambiguous_cookies: [401, "More than one live token cookie was sent"],
  token_expired: [401, "Token has expired"],
  token_not_fresh: [401, "A more recent login is required"],
  token_bound: [401, "Token is bound to a key, and cannot be used without a proof"],
  token_unbound: [401, "Token is not bound to a key"],
  dpop_proof_missing: [401, "A DPoP proof is required"],
  dpop_proof_invalid: [401, "DPoP proof is invalid"],
  dpop_proof_used: [401, "DPoP proof was used before"],
  dpop_nonce_required: [401, "DPoP proof needs the nonce of this server"],
  token_revoked: [401, "Token has been revoked"],
  session_unknown: [401, "Session is unknown"],
  session_ended: [401, "Session has ended"],
  token_reused: [401, "Refresh token was used before; its session has ended"],
  session_required: [401, "Token belongs to no session"],
  csrf_missing: [403, "CSRF value is missing"],
  csrf_mismatch: [403, "CSRF value does not match the token"],
  csrf_missing_claim: [403, "Token carries no CSRF value"],
  csrf_origin: [403, "Request comes from another site"],
  invalid_claims: [401, "Token claims were refused"],
  user_not_found: [401, "The user of this token was not found"],
  insufficient_role: [403, "A required role is missing"],
  insufficient_scope: [403, "A required scope is missing"],
  forbidden: [403, "Access was refused"],
  store_unavailable: [503, "Tokens cannot be checked right now"],
  not_durable: [503, "The change could not be made durable"],
  unsupported_media_type: [415, "The body must be sent as application/json"],
  body_invalid: [400, "The body must be a JSON object in UTF-8"],
  field_invalid: [400, "A field is missing, unknown or of the wrong type"],
  username_invalid: [400, "This is no name for a user"],
  username_taken: [409, "This name is taken"],
  password_too_short: [400, "The password is too short"],
  password_too_long: [400, "The password is too long"],
  password_malformed: [400, "The password is no Unicode text"],
  password_common: [400, "The password is among those that are guessed first"],
  invalid_credentials: [401, "Wrong username or password"],
  too_many_attempts: [429, "Too many attempts: try again later"],
  too_busy: [503, "Too many logins at once: try again soon"],
  user_unknown: [404, "There is no such user"],
  own_account: [409, "Administrators cannot do this to themselves"],
  user_changed: [409, "The user was changed meanwhile: look again"],
  config_invalid: [500, "The configuration of jwt-extended is wrong"],
  identity_invalid: [500, "The identity cannot be put into a token"],
  claim_reserved: [500, "An additional claim has a reserved name"],
  header_reserved: [500, "An additional header has a reserved name"],
  claims_invalid: [500, "The additional claims cannot be put into a token"],
  lifetime_invalid: [500, "The lifetime of a token is out of bounds"],
  key_unusable: [500, "A key cannot be used"],
  no_auth_context: [500, "No token was verified for this request"],
  ambient_context_off: [500, "The ambient accessors are switched off"],
  dpop_off: [500, "DPoP is switched off"],
  not_revocable: [500, "The token cannot be revoked"],
  clock_invalid: [500, "The clock does not work"],
  store_required: [500, "This needs a store"],
  cookie_unusable: [500, "A cookie cannot be set"],
  reply_invalid: [500, "An answer cannot be sent"],
} as const satisfies Record<string, readonly [status: number, message: string]>;

/** A stable code of a refusal or mistake, see `docs/errors.md`. */
export type JwtErrorCode = keyof typeof ERROR_CODES;

const BRAND = Symbol.for("jwt-extended/error");

/** What an error may be given beside its code. */
export interface JwtErrorOptions {
  /** Replaces the sentence of the code; it is shown to clients and must hold no input. */
  readonly message?: string | undefined;
  /** For the developer only: never sent, never enumerable. */
  readonly detail?: string | undefined;
  /** The `WWW-Authenticate` parameters of this very refusal, such as `max_age`. */
  readonly challenge?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

/**
 * Base of every error of this library: a literal `code`, an HTTP `status` and a `message` that is safe to show.
 * A refusal that stays inside the library carries no stack; it takes one when it is thrown to the application.
 */
export abstract class JwtError extends Error {
  readonly code: JwtErrorCode;
  readonly status: number;
  readonly challenge: Readonly<Record<string, string>> | undefined;
  readonly #detail: string | undefined;

  constructor(code: JwtErrorCode, options: JwtErrorOptions = {}) {
    const [status, message] = ERROR_CODES[code];
    // A stack costs more than a whole verification, and a refused request has no use for it.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(options.message ?? message, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = limit;
    this.code = code;
    this.status = status;
    this.challenge = options.challenge;
    this.#detail = options.detail;
    // Once for each class: on each error it would cost a fifth of what refusing a forged token takes.
    const { prototype, name } = new.target;
    if (prototype.name !== name)
      Object.defineProperty(prototype, "name", { value: name, configurable: true, writable: true });
  }

  /** For the developer only; not enumerable, never part of an answer. */
  get detail(): string | undefined {
    return this.#detail;
  }
}
Object.defineProperty(JwtError.prototype, BRAND, { value: true });

/** No token came with the request. */
export class UnauthorizedError extends JwtError {}
/** The request itself is malformed: two tokens, a broken header, a body that is too large (RFC 6750 §3.1 `invalid_request`). */
export class InvalidRequestError extends JwtError {}
/** The token is malformed, forged, of another kind, or not meant for this service (RFC 6750 §3.1 `invalid_token`). */
export class InvalidTokenError extends JwtError {}
/** The token is right in all but its `exp`. */
export class ExpiredTokenError extends JwtError {}
/** What each says in its challenge (RFC 9449 §7.1, §9); all others are `invalid_dpop_proof`. */
const DPOP_ERRORS: Readonly<Partial<Record<JwtErrorCode, string>>> = {
  token_bound: "invalid_token",
  token_unbound: "invalid_token",
  dpop_nonce_required: "use_dpop_nonce",
};

/** A token that is bound to a key came without a good proof of that key, or one that is not came with a proof (RFC 9449 §7). */
export class DpopError extends JwtError {
  /** The nonce that the next proof must hold, where this server asks for one; sent as `DPoP-Nonce`. */
  readonly nonce: string | undefined;
  constructor(code: JwtErrorCode, options: JwtErrorOptions & { readonly nonce?: string | undefined } = {}) {
    super(code, { challenge: { error: DPOP_ERRORS[code] ?? "invalid_dpop_proof" }, ...options });
    this.nonce = options.nonce;
  }
}
/** The route asks for a fresh login (RFC 9470). */
export class NotFreshError extends JwtError {}
/** The token, its session or its subject has been revoked. */
export class RevokedTokenError extends JwtError {}
/** A request with a token cookie fails the CSRF rules. */
export class CsrfError extends JwtError {}
/** `tokenVerification` or `claimsSchema` refused the claims. */
export class InvalidClaimsError extends JwtError {}
/** `userLookup` found nobody. */
export class UserLookupError extends JwtError {}
/** The token is good, but its roles, its scopes or `verify` do not let it pass. */
export class ForbiddenError extends JwtError {}
/** What a route of `jwt-extended/accounts` refuses: a body, a name, a password, one attempt too many. */
export class AccountError extends JwtError {
  /** The fields of the body or query that are wrong. */
  readonly fields: readonly string[] | undefined;
  /** Whole seconds after which it may be tried again; sent as `Retry-After`. */
  readonly retryAfter: number | undefined;
  constructor(
    code: JwtErrorCode,
    options: JwtErrorOptions & {
      readonly fields?: readonly string[] | undefined;
      readonly retryAfter?: number | undefined;
    } = {},
  ) {
    // Where no token was asked for, none is asked for anew; but every 401 names a scheme (RFC 9110 §15.5.2).
    super(code, code === "invalid_credentials" ? { challenge: {}, ...options } : options);
    this.fields = options.fields;
    this.retryAfter = options.retryAfter;
  }
}
/** The store did not answer, or answered nonsense. Nobody is let in. */
export class StoreUnavailableError extends JwtError {}
/** The application called the library in a way that cannot work. */
export class UsageError extends JwtError {}

/** The configuration cannot work. `faults` has all that is wrong, each with the sentence that mends it. */
export class ConfigError extends JwtError {
  readonly faults: readonly string[];
  constructor(faults: readonly string[], code: "config_invalid" | "store_required" = "config_invalid") {
    const list = faults.map((fault) => `  - ${fault}`).join("\n");
    super(code, { message: code === "config_invalid" ? `jwt-extended cannot start:\n${list}` : faults.join(" ") });
    this.faults = Object.freeze([...faults]);
    Error.captureStackTrace?.(this, new.target);
  }
}

/** Whether a value is an error of this library, also across duplicate installs (where `instanceof` fails). */
export function isJwtError(value: unknown): value is JwtError {
  return value instanceof Error && (value as { [BRAND]?: unknown })[BRAND] === true;
}

/** Throws a refusal to the application, with the stack of the caller. */
export function raise(error: JwtError): never {
  Error.captureStackTrace?.(error, raise);
  throw error;
}

/** Whether an error is an answer to a client (4xx, or 503), and no mistake of the application. */
export function isRefusal(error: unknown): error is JwtError {
  return isJwtError(error) && (error.status < 500 || error.status === 503);
}

/** The token behind a refusal, for the error loaders. Its content never leaves through the error itself. */
export interface RefusedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

const refusedTokens = new WeakMap<JwtError, RefusedToken>();

/** Remembers which token was refused. */
export function withToken<E extends JwtError>(error: E, token: RefusedToken): E {
  refusedTokens.set(error, token);
  return error;
}

/** The token that was refused, if it was read at all. */
export function tokenOf(error: JwtError): RefusedToken | undefined {
  return refusedTokens.get(error);
}
