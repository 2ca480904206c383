import type { JwtErrorCode } from "../errors.ts";
import { FLASK_MESSAGES, type Messages, OUR_MESSAGES } from "./messages.ts";

/**
 * Every recorded difference between Flask-JWT-Extended and this library, one field each. Rooms read fields; none of
 * them knows which of the two records it holds. Signatures, `none` and the binding of keys to algorithms are no fields.
 */
export interface Behaviour {
  // --- reading tokens
  /** A type must be exactly `access` or `refresh`; else everything that is not `refresh` passes as access. */
  readonly exactTypes: boolean;
  /** A token without `exp` is refused, unless lifetimes without end are configured. */
  readonly requireExp: boolean;
  /** A token without `jti` is refused by default. */
  readonly requireJti: boolean;
  /** A token that has `aud` is refused while no audience is configured. */
  readonly refuseForeignAudience: boolean;
  /** Complete `=` padding of a segment is tolerated. */
  readonly paddedBase64: boolean;
  /** Of repeated member names in a token the last counts; else such a token is refused. */
  readonly lastNameWins: boolean;
  /** Header members of wrong types are refused (`typ`, `jku`, `x5c` …). */
  readonly strictTokenHeader: boolean;
  /** Fractions of `exp`, `nbf` and `iat` are cut off before they are compared. */
  readonly cutTimes: boolean;
  /** Tokens of more bytes are refused before anything is decoded. */
  readonly maxTokenBytes: number;
  /** Claims nested deeper are refused. */
  readonly maxClaimDepth: number;
  /** Leeway counts for timed freshness, too. */
  readonly freshLeeway: boolean;
  /** A token is still fresh in the very second that its `fresh` names. */
  readonly freshInclusive: boolean;
  /** `type`, `fresh` and `jti` that a token lacks are added to what is shown of it. */
  readonly inventClaims: boolean;
  /** Errors of `decodeKey` refuse the token; else they are passed on. */
  readonly decodeKeyFaultsRefuse: boolean;
  /** The identity must be text, whatever claim holds it. */
  readonly textIdentity: boolean;

  // --- reading requests
  /** The header must hold one credential, its scheme in any case; else a comma list is searched for the exact scheme. */
  readonly oneCredential: boolean;
  /** More than one token in header, query string and JSON is refused. */
  readonly oneLocation: boolean;
  /** Only a CORS preflight passes unchecked; else every OPTIONS request does. */
  readonly preflightOnly: boolean;
  /** An expired cookie gives way to a header that the search order names later. */
  readonly expiredCookieYields: boolean;
  /** A guard for any type reads the names of both types. */
  readonly anyTypeReadsBoth: boolean;
  /** Of several cookies of one name each is verified; else the first counts. */
  readonly verifyDuplicateCookies: boolean;
  /** A quoted cookie value counts without its quotes. */
  readonly unquoteCookies: boolean;
  /** Cookie requests are held against `Sec-Fetch-Site` and `Origin`. */
  readonly checkOrigin: boolean;
  /** `false`, `0`, `[]` and `{}` in place of a token count as no token; else only `null` and `""` do. */
  readonly falsyJsonIsMissing: boolean;

  // --- answers
  /** Statuses that differ from those of the codes. */
  readonly statuses: Readonly<Partial<Record<JwtErrorCode, number>>>;
  /** Error bodies carry `code`. */
  readonly codeInBody: boolean;
  /** Refusals carry `WWW-Authenticate` (RFC 6750 §3). */
  readonly challenges: boolean;
  /** CSRF refusals go to the loader `unauthorized`. */
  readonly csrfIsUnauthorized: boolean;
  /** Token answers, token cookies and refusals say `Cache-Control: no-store`. */
  readonly noStore: boolean;
  readonly messages: Messages;

  // --- making tokens and cookies
  /** Pairs belong to sessions: `sid` and `gen` are minted. */
  readonly sessions: boolean;
  /** Additional claims and headers may not replace reserved names. */
  readonly guardReserved: boolean;
  /** Lifetimes stay within `maxAccessLifetime` and `maxRefreshLifetime`. */
  readonly boundLifetimes: boolean;
  /** The CSRF value is minted whatever the locations. */
  readonly csrfEverywhere: boolean;
  /** Ids are UUIDs; else 128 random bits in base64url. */
  readonly uuidIds: boolean;
  /** Setting cookies verifies the token. */
  readonly cookiesVerify: boolean;
  /** A persistent cookie lives this many seconds; `undefined`: as long as its token. */
  readonly persistentMaxAge: number | undefined;
  /** A `maxAge` of 0 and an empty `domain` count as not given. */
  readonly emptyIsUnset: boolean;

  // --- keys
  /** Short secrets and small RSA keys are taken with a warning. */
  readonly weakKeys: boolean;
  /** Algorithms that do not fit the key are dropped with a warning; else they are faults. */
  readonly dropMisfits: boolean;
  /** `decodeAlgorithms` always gains `algorithm`. */
  readonly ownAlgorithmAccepted: boolean;
  /** The public half of `privateKey` verifies where no `publicKey` is given. */
  readonly derivePublicKey: boolean;
  /** Verifying what others mint needs a decision about the audience. */
  readonly decideAudience: boolean;
  /** Insecure settings are faults in production; else they are named in a warning. */
  readonly strictProduction: boolean;
}

/** What this library does on its own. */
export const OURS: Behaviour = Object.freeze<Behaviour>({
  exactTypes: true,
  requireExp: true,
  requireJti: true,
  refuseForeignAudience: true,
  paddedBase64: false,
  lastNameWins: false,
  strictTokenHeader: true,
  cutTimes: false,
  maxTokenBytes: 8192,
  maxClaimDepth: 32,
  freshLeeway: true,
  freshInclusive: false,
  inventClaims: false,
  decodeKeyFaultsRefuse: true,
  textIdentity: true,
  oneCredential: true,
  oneLocation: true,
  preflightOnly: true,
  expiredCookieYields: true,
  anyTypeReadsBoth: true,
  verifyDuplicateCookies: true,
  unquoteCookies: false,
  checkOrigin: true,
  falsyJsonIsMissing: false,
  statuses: Object.freeze({}),
  codeInBody: true,
  challenges: true,
  csrfIsUnauthorized: false,
  noStore: true,
  messages: OUR_MESSAGES,
  sessions: true,
  guardReserved: true,
  boundLifetimes: true,
  csrfEverywhere: false,
  uuidIds: false,
  cookiesVerify: false,
  persistentMaxAge: undefined,
  emptyIsUnset: false,
  weakKeys: false,
  dropMisfits: false,
  ownAlgorithmAccepted: false,
  derivePublicKey: true,
  decideAudience: true,
  strictProduction: true,
});

/** What Flask-JWT-Extended 4.7.4 was recorded to do: `compat: "flask"`. */
export const FLASK: Behaviour = Object.freeze<Behaviour>({
  exactTypes: false,
  requireExp: false,
  requireJti: false,
  refuseForeignAudience: false,
  paddedBase64: true,
  lastNameWins: true,
  strictTokenHeader: false,
  cutTimes: true,
  maxTokenBytes: 1_048_576,
  maxClaimDepth: 100_000,
  freshLeeway: false,
  freshInclusive: true,
  inventClaims: true,
  decodeKeyFaultsRefuse: false,
  textIdentity: false,
  oneCredential: false,
  oneLocation: false,
  preflightOnly: false,
  expiredCookieYields: false,
  anyTypeReadsBoth: false,
  verifyDuplicateCookies: false,
  unquoteCookies: true,
  checkOrigin: false,
  falsyJsonIsMissing: true,
  statuses: Object.freeze({
    invalid_request: 422,
    token_invalid: 422,
    token_not_yet_valid: 422,
    token_issuer: 422,
    token_audience: 422,
    token_claim: 422,
    wrong_token_type: 422,
    csrf_missing: 401,
    csrf_mismatch: 401,
    csrf_missing_claim: 422,
    invalid_claims: 400,
  }),
  codeInBody: false,
  challenges: false,
  csrfIsUnauthorized: true,
  noStore: false,
  messages: FLASK_MESSAGES,
  sessions: false,
  guardReserved: false,
  boundLifetimes: false,
  csrfEverywhere: true,
  uuidIds: true,
  cookiesVerify: true,
  persistentMaxAge: 31_540_000,
  emptyIsUnset: true,
  weakKeys: true,
  dropMisfits: true,
  ownAlgorithmAccepted: true,
  derivePublicKey: false,
  decideAudience: false,
  strictProduction: false,
});
