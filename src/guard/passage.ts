import type { ResolvedConfig } from "../config/resolve.ts";
import type { JwtError } from "../errors.ts";
import type { JwtReply, JwtRequest } from "../http/types.ts";
import type { Found, Search } from "../locations/finding.ts";
import type { StoreCalls } from "../sessions/store-calls.ts";
import type { Memo } from "../token/token-rules.ts";
import type { TokenVerifier } from "../token/verify.ts";
import type { Anonymous, AnyClaims, AuthContext, GuardOptions, JwtHeader, MaybePromise, TokenType } from "../types.ts";

type Claims = Readonly<Record<string, unknown>>;

/** A guard after its options were read: what every request is held against. */
export interface GuardRule {
  /** Another one for each guard: tokens note it, and must not keep alive what was compiled for one request. */
  readonly id: number;
  readonly config: ResolvedConfig;
  readonly search: Search;
  readonly verifier: TokenVerifier;
  readonly store: StoreCalls | undefined;
  readonly optional: boolean | "lenient";
  /** `undefined`: any type. */
  readonly type: TokenType | undefined;
  /** `true`, or the greatest age of the login in seconds. */
  readonly fresh: boolean | number;
  readonly roles: WantedNames | undefined;
  readonly scopes: WantedNames | undefined;
  readonly checkRevocation: boolean;
  readonly verify: GuardOptions<unknown, AnyClaims>["verify"];
  readonly checks: readonly Check[];
  /** Whether a token may be known by its header line, see `known-line.ts`. */
  readonly knowsLines: boolean;
  /** What every answer that passed says, whoever it is for. */
  readonly headers: JwtReply["headers"];
}

/** All of the names, or any of them. */
export interface WantedNames {
  readonly names: readonly string[];
  readonly any: boolean;
}

/** One request on its way through a guard. The checks fill it in, in their order. */
export interface Passage {
  readonly request: JwtRequest;
  readonly rule: GuardRule;
  /** Milliseconds, read once for the request. */
  readonly now: number;
  /** The place of the search to begin with. */
  from: number;
  found: Found | undefined;
  header: Readonly<JwtHeader>;
  claims: Claims;
  memo: Memo;
  /** Only under `optional: "lenient"`: all is well but `exp`. */
  expired: boolean;
  /** The claims the application sees, if a schema made them; else `claims`. */
  shown: Claims;
  user: unknown;
  /** What the answer must say: those of the rule, until there is more. */
  headers: JwtReply["headers"];
}

/** One check: nothing when the request may go on, or the refusal. */
export type Check = (passage: Passage) => MaybePromise<JwtError | undefined>;

/** What became of a request: passed, with headers for the answer; or refused, with the answer. `auth` is undefined for a preflight. */
export type GuardOutcome<User = unknown, TokenClaims = AnyClaims> =
  | {
      readonly ok: true;
      readonly auth: AuthContext<User, TokenClaims> | Anonymous | undefined;
      readonly headers: JwtReply["headers"];
    }
  | { readonly ok: false; readonly error: JwtError; readonly reply: JwtReply };
