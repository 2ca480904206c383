import type { JwtRequest } from "../http/types.ts";
import type { TokenType } from "../types.ts";
import type { Behaviour } from "./behaviour.ts";
import type { LegacyCookie } from "./options.ts";

/** What belongs to one kind of token: the names and paths of its cookies, header, field and JSON member. */
export interface KindNames {
  readonly type: TokenType;
  readonly cookieName: string;
  readonly cookiePath: string;
  readonly csrfCookieName: string;
  readonly csrfCookiePath: string;
  /** As configured, for messages; `csrfHeader` is the lower-case name to look up. */
  readonly csrfHeaderName: string;
  readonly csrfHeader: string;
  readonly csrfFieldName: string;
  readonly jsonKey: string;
}

/** What all cookies share. */
export interface CookieConfig {
  readonly secure: boolean;
  readonly sameSite: "Strict" | "Lax" | "None" | undefined;
  readonly session: boolean;
  readonly domain: string | ((request: JwtRequest) => string | undefined) | undefined;
  readonly legacy: readonly LegacyCookie[];
}

type Values = Readonly<Record<string, unknown>>;

/** The cookie settings of the options, prefixes applied; adds to `faults` what browsers would drop. */
export function resolveCookies(values: Values, behaviour: Behaviour, faults: string[]): CookieConfig {
  const sameSite = values.cookieSameSite as CookieConfig["sameSite"];
  const cookies: CookieConfig = {
    secure: values.cookieSecure === true,
    sameSite: sameSite && (capital(sameSite) as CookieConfig["sameSite"]),
    session: values.sessionCookie === true,
    domain: values.cookieDomain === "" ? undefined : (values.cookieDomain as CookieConfig["domain"]),
    legacy: values.legacyCookies as readonly LegacyCookie[],
  };
  if (behaviour.strictProduction && cookies.sameSite === "None" && !cookies.secure) {
    faults.push('cookieSameSite "None" needs cookieSecure: true: browsers drop the cookie otherwise.');
  }
  return Object.freeze(cookies);
}

/** The names of one kind, with the prefix that domain, path and `Secure` allow (RFC 6265bis §4.1.3). */
export function resolveKind(
  type: TokenType,
  values: Values,
  cookies: CookieConfig,
  behaviour: Behaviour,
  faults: string[],
): KindNames {
  const text = (option: string): string => values[option] as string;
  const named = (option: string, pathOption: string): string => {
    const name = text(option);
    const path = text(pathOption);
    const hostOnly = cookies.domain === undefined && path === "/";
    if (name.startsWith("__Host-") || name.startsWith("__Secure-")) {
      const fits = cookies.secure && (hostOnly || !name.startsWith("__Host-"));
      if (!fits && behaviour.strictProduction) {
        faults.push(
          `${option} has a prefix that browsers hold to its rules: __Host- needs cookieSecure, no cookieDomain and the path "/"; __Secure- needs cookieSecure.`,
        );
      }
      return name;
    }
    if (values.cookiePrefix !== "auto" || !cookies.secure) return name;
    return `${hostOnly ? "__Host-" : "__Secure-"}${name}`;
  };
  const csrfHeaderName = text(`${type}CsrfHeaderName`);
  return Object.freeze({
    type,
    cookieName: named(`${type}CookieName`, `${type}CookiePath`),
    cookiePath: text(`${type}CookiePath`),
    csrfCookieName: named(`${type}CsrfCookieName`, `${type}CsrfCookiePath`),
    csrfCookiePath: text(`${type}CsrfCookiePath`),
    csrfHeaderName,
    csrfHeader: csrfHeaderName.toLowerCase(),
    csrfFieldName: text(`${type}CsrfFieldName`),
    jsonKey: text(type === "access" ? "jsonKey" : "refreshJsonKey"),
  });
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
