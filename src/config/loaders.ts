import type { KeyMaterial } from "../crypto/keys.ts";
import type { JwtError } from "../errors.ts";
import type { JwtReply, JwtRequest } from "../http/types.ts";
import type { AnyClaims, JwtHeader, MaybePromise, RegisteredClaims } from "../types.ts";

/** The claims of a token as a loader sees them. */
export type LoaderClaims = Readonly<RegisteredClaims & AnyClaims>;
/** What an error loader answers: a neutral reply, whose headers may be left out, or a Web `Response`. */
export type LoaderReply = (Omit<JwtReply, "headers"> & Partial<Pick<JwtReply, "headers">>) | Response;

/**
 * The functions an application may replace, under the names of Flask-JWT-Extended without `_loader`. Each may be async.
 * The error loaders (from `expiredToken` on) take Flask's arguments first, then the error and the request.
 */
export interface Loaders<User = unknown, Identity = string> {
  /** Claims to add to every token made for this identity. Default: none. */
  readonly additionalClaims?:
    | ((identity: NoInfer<Identity>) => MaybePromise<Readonly<Record<string, unknown>>>)
    | undefined;
  /** Header members to add to every token made for this identity. Default: none. */
  readonly additionalHeaders?:
    | ((identity: NoInfer<Identity>) => MaybePromise<Readonly<Record<string, unknown>>>)
    | undefined;
  /** The key that verifies a token, chosen by its **unverified** header and claims. Default: the configured keys. */
  readonly decodeKey?: ((header: Readonly<JwtHeader>, claims: AnyClaims) => MaybePromise<KeyMaterial>) | undefined;
  /** The key that signs a token for this identity. Default: the configured key. */
  readonly encodeKey?: ((identity: NoInfer<Identity>) => MaybePromise<KeyMaterial>) | undefined;
  /** Whether a token is revoked, asked in addition to the store. Default: never. */
  readonly tokenInBlocklist?:
    | ((header: Readonly<JwtHeader>, claims: LoaderClaims) => MaybePromise<boolean>)
    | undefined;
  /** Whether the claims of a good token are acceptable. Default: always. */
  readonly tokenVerification?:
    | ((header: Readonly<JwtHeader>, claims: LoaderClaims) => MaybePromise<boolean>)
    | undefined;
  /** Turns what `createAccessToken` is given into the text that goes into the token. Default: the identity itself. */
  readonly userIdentity?: ((identity: Identity) => MaybePromise<string>) | undefined;
  /** Loads the user of a token; `null` or `undefined` means there is none. Default: no user is loaded. */
  readonly userLookup?:
    | ((header: Readonly<JwtHeader>, claims: LoaderClaims) => MaybePromise<User | null | undefined>)
    | undefined;

  readonly expiredToken?: TokenErrorLoader | undefined;
  readonly invalidToken?: ReasonErrorLoader | undefined;
  readonly needsFreshToken?: TokenErrorLoader | undefined;
  readonly revokedToken?: TokenErrorLoader | undefined;
  readonly tokenVerificationFailed?: TokenErrorLoader | undefined;
  readonly unauthorized?: ReasonErrorLoader | undefined;
  readonly userLookupError?: TokenErrorLoader | undefined;
  /** Sees every error that no loader above took. */
  readonly error?: ((error: JwtError, request: JwtRequest) => MaybePromise<LoaderReply>) | undefined;
}

/** Answers a refusal of which the token is known. */
export type TokenErrorLoader = (
  header: Readonly<JwtHeader>,
  claims: LoaderClaims,
  error: JwtError,
  request: JwtRequest,
) => MaybePromise<LoaderReply>;

/** Answers a refusal of which only the reason is known; the reason is safe to show. */
export type ReasonErrorLoader = (reason: string, error: JwtError, request: JwtRequest) => MaybePromise<LoaderReply>;

/** Every loader, in the order of the documentation. */
export const LOADER_NAMES = [
  "additionalClaims",
  "additionalHeaders",
  "decodeKey",
  "encodeKey",
  "tokenInBlocklist",
  "tokenVerification",
  "userIdentity",
  "userLookup",
  "expiredToken",
  "invalidToken",
  "needsFreshToken",
  "revokedToken",
  "tokenVerificationFailed",
  "unauthorized",
  "userLookupError",
  "error",
] as const satisfies readonly (keyof Loaders)[];
