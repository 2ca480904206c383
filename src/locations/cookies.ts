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
    if (values.length === 1 && values[0] !== "") return values;
    return [...new Set(values)].filter((value) => value !== "");
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
  if (!needsCsrf(request, config)) return found(kind, tokens, undefined);
  const refused: CsrfError | undefined = refusedOrigin(request, config);
  if (refused) return refused;
  if (config.csrf.mode === "fetch-metadata") return found(kind, tokens, undefined);
  const submitted = submittedValue(request, config, kind);
  return submitted instanceof Promise ? foundLater(kind, tokens, submitted) : found(kind, tokens, submitted);
}

const foundLater = (kind: KindNames, tokens: string[], submitted: Promise<string | JwtError>): Promise<Finding> =>
  submitted.then((late) => found(kind, tokens, late));

const found = (kind: KindNames, tokens: string[], csrf: string | JwtError | undefined): Finding =>
  csrf instanceof JwtError ? csrf : { location: "cookies", tokens, kind, csrf };
