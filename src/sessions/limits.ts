import type { ResolvedConfig } from "../config/resolve.ts";
import type { TokenType } from "../types.ts";

/** Seconds that every entry outlives its token: the largest leeway any process may set, and a minute of skew. */
const MARGIN = 360;

/** When a session born at `now` (milliseconds) ends whatever happens, in milliseconds; `Infinity` without a bound. */
export function absoluteEnd(now: number, config: ResolvedConfig): number {
  const { max } = config.lifetimes.refresh;
  return max === false ? Number.POSITIVE_INFINITY : now + max * 1000;
}

/** Until when a revocation of one token must be kept, in milliseconds. `exp` in Unix seconds. */
export function keepToken(exp: unknown): number {
  return typeof exp === "number" ? (exp + MARGIN) * 1000 : Number.POSITIVE_INFINITY;
}

/**
 * Until when a revocation of a session or a subject must be kept, in milliseconds: no token of it may live longer.
 * `limits` are the longest lifetimes, in seconds, that any process of the store may give.
 */
export function keepLogin(
  kinds: readonly TokenType[],
  now: number,
  limits: Readonly<Record<TokenType, number>>,
): number {
  return now + (Math.max(...kinds.map((type) => limits[type])) + MARGIN) * 1000;
}
