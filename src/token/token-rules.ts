import type { VerifyKey } from "../crypto/keys.ts";
import type { RevocationQuery } from "../stores/contract.ts";
import type { JwtHeader } from "../types.ts";

/** What a token must meet. One frozen object, made from the configuration, for all tokens of one policy. */
export interface TokenRules {
  /** Seconds that clocks may differ (RFC 7519 §4.1.4). */
  readonly leeway: number;
  /** The issuers that are taken; `undefined`: not checked. */
  readonly issuer: readonly string[] | undefined;
  /** One of these must be among the token's; `"absent"`: a token that has `aud` is refused; `undefined`: not checked. */
  readonly audience: readonly string[] | "absent" | undefined;
  /** The exact subject that is wanted. */
  readonly subject?: string | undefined;
  /** The `typ` that is wanted, compared as a media type (RFC 7515 §4.1.9, RFC 8725 §3.11). */
  readonly typ?: string | undefined;
  /** Refuses a `typ` that says outright that the token is of another kind, such as `dpop+jwt` (RFC 8725 §3.11). */
  readonly accessTypOnly?: boolean | undefined;
  /** The most seconds since `iat`. */
  readonly maxAge?: number | undefined;
  /** Names of claims that the token must have itself. Checked after all other claims. */
  readonly requiredClaims: readonly string[];
  /** Whether `null` is enough for a required claim. Default false. */
  readonly nullIsPresent?: boolean | undefined;
  /** Whether `sub`, if present, must be text. */
  readonly verifySub: boolean;
  /** Whether `jti`, if present, must be text. */
  readonly jtiString: boolean;
  /** Fractions of times are cut off instead of compared. */
  readonly cutTimes: boolean;
  /** Complete `=` padding is tolerated. */
  readonly paddedBase64: boolean;
  /** Of repeated member names the last wins instead of the token being refused. */
  readonly lastNameWins: boolean;
  /** Header parameters of wrong types are refused, not only those that matter. */
  readonly strictHeader: boolean;
  /** Tokens of more characters are refused before anything is decoded. */
  readonly maxBytes: number;
  /** JSON nested deeper than this is refused. */
  readonly maxDepth: number;
  /** The message for a missing required claim; `undefined`: that of the code. */
  readonly missingClaim: (name: string) => string | undefined;
}

/** The rules that concern the form of a token only. */
export type FormRules = Pick<TokenRules, "paddedBase64" | "lastNameWins" | "strictHeader" | "maxBytes"> & {
  readonly maxDepth?: number | undefined;
};

/** A token that passed. Header and claims are plain data, frozen to their last level. */
export interface VerifiedToken extends Memo {
  readonly header: Readonly<JwtHeader>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** The key that verified it. */
  readonly key: VerifyKey;
}

/**
 * What was worked out about a token that passed, and need not be at its next request. Between two requests of a client much else
 * goes through the caches of the processor, so that a guard mostly waits for memory: here all that it needs lies together, numbers
 * as whole seconds, which V8 keeps in place. A guard of known tokens takes a quarter less time by it.
 */
export interface Memo {
  /** The later of `iat` and `nbf`, and `exp`; `undefined` where the claims themselves must be looked at. */
  readonly begins: number | undefined;
  readonly ends: number | undefined;
  /** The id of the guard that it passed last, as far as that depends on the token alone. */
  passed: number | undefined;
  /** The header line in which that guard met it last, and what it found there; no line if it came another way. */
  line: string | undefined;
  found: object | undefined;
  /** What the store is asked about it. */
  query: RevocationQuery | undefined;
  /** The revision of what is revoked under which it was not. */
  standing: number | undefined;
  /** When its session was last noted as used. */
  notedAt: number | undefined;
}
