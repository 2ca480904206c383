import type { KindNames } from "../config/cookies.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import type { JwtError } from "../errors.ts";
import type { JwtLocation } from "../types.ts";

/** A token, or what stands in its place, found in a request. */
export interface Found {
  readonly location: JwtLocation;
  /** Normally one; several where a cookie of this name came more than once. Not yet known to be text. */
  readonly tokens: readonly unknown[];
  readonly kind: KindNames;
  /** The CSRF value that came with it; `undefined` where none is called for. */
  readonly csrf: string | undefined;
  /** Whether it came under the scheme `DPoP`, and so must have a proof beside it. */
  readonly byDpop?: boolean | undefined;
  /** The header line that it was cut from without a look at what is inside it, see `Search.quick`. */
  readonly line?: string | undefined;
}

/** What was looked for in vain, for the message. */
export interface Missing {
  readonly missing: string;
}

/** What a location answers: a token, its absence, or a refusal that ends the search. */
export type Finding = Found | Missing | JwtError;

/** What to look for. */
export interface Search {
  readonly config: ResolvedConfig;
  readonly places: readonly JwtLocation[];
  /** The kinds whose names are read, in this order. */
  readonly kinds: readonly KindNames[];
  /**
   * Whether blanks and commas inside a token from a header are looked for only once it proved to be none, by `lineFault`: no
   * token has any, and to look takes a tenth of the time of a guard that knows the token.
   */
  readonly quick?: boolean | undefined;
}
