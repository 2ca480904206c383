import type { KindNames } from "../config/cookies.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { type CsrfError, InvalidTokenError, JwtError } from "../errors.ts";
import { cookieValues } from "../http/cookies.ts";
import type { JwtRequest } from "../http/types.ts";
import type { MaybePromise } from "../types.ts";
import { needsCsrf, refusedOrigin, submittedValue } from "./csrf.ts";
import type { Finding, Search } from "./finding.ts";

/** More cookies of one name than this are an attack, not an accident. */
export const MAX_DUPLICATES = 4;

/** Reads the token cookie, and the CSRF value that must come with it, before the token is looked at. */
export function findInCookies(request: JwtRequest, search: Search): MaybePromise<Finding> {
  const { behaviour } = search.config;
  const lines = request.header("cookie");
  for (const kind of search.kinds) {
    const tokens = tokensOf(lines, kind, search.config);
    if (tokens.length > MAX_DUPLICATES) return new InvalidTokenError("ambiguous_cookies");
    if (tokens.length > 0) return withCsrf(request, search.config, kind, tokens);
  }
  return { missing: behaviour.messages.missingCookie(search.kinds[0]?.cookieName ?? "") ?? "" };
}

function tokensOf(lines: readonly string[], kind: KindNames, config: ResolvedConfig): string[] {
  if (lines.length === 0) return [];
  const { behaviour } = config;
  const values = cookieValues(lines, kind.cookieName);
  if (behaviour.verifyDuplicateCookies) {
    return values.length < 2
      ? values.filter((value) => value !== "")
      : [...new Set(values)].filter((value) => value !== "");
  }
  const [first] = values;
  if (first === undefined || first === "") return [];
  const plain = behaviour.unquoteCookies && /^".*"$/.test(first) ? first.slice(1, -1) : first;
  return plain === "" ? [] : [plain];
}

function withCsrf(
  request: JwtRequest,
  config: ResolvedConfig,
  kind: KindNames,
  tokens: string[],
): MaybePromise<Finding> {
  const found = (csrf: string | undefined): Finding => ({ location: "cookies", tokens, kind, csrf });
  if (!needsCsrf(request, config)) return found(undefined);
  const refused: CsrfError | undefined = refusedOrigin(request, config);
  if (refused) return refused;
  if (config.csrf.mode === "fetch-metadata") return found(undefined);
  const submitted = submittedValue(request, config, kind);
  if (submitted instanceof Promise) return submitted.then((late) => (late instanceof JwtError ? late : found(late)));
  return submitted instanceof JwtError ? submitted : found(submitted);
}
