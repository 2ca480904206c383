import { isAlgorithm } from "../crypto/algorithms.ts";
import { parseDuration } from "../internal/duration.ts";
import type { Behaviour } from "./behaviour.ts";
import { dpopFault } from "./dpop.ts";
import { LOADER_NAMES } from "./loaders.ts";
import type { JwtOptions } from "./options.ts";
import { RESERVED_CLAIMS } from "./reserved.ts";

/** What is wrong with a value and how to mend it, or nothing. The sentence goes on after "name ". */
type Check = (value: unknown, behaviour: Behaviour) => string | undefined;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const LOCATIONS = ["headers", "cookies", "query_string", "json"];

const when =
  (ok: (value: unknown) => boolean, mend: string): Check =>
  (value) =>
    ok(value) ? undefined : mend;
const isText = (value: unknown): value is string => typeof value === "string";
const isList = (value: unknown): value is unknown[] => Array.isArray(value);
const oneOf = (...allowed: unknown[]): Check =>
  when((value) => allowed.includes(value), `must be one of ${allowed.map((one) => JSON.stringify(one)).join(", ")}`);

const boolean = when((value) => typeof value === "boolean", "must be true or false");
const filled = when((value) => isText(value) && value !== "", "must be text that is not empty");
const text = when(isText, "must be text");
const method = when((value) => typeof value === "function", "must be a function");
const anyKey = when(
  (value) => (isText(value) && value !== "") || (typeof value === "object" && value !== null),
  "must be a secret, PEM text, a JWK, a KeyObject or bytes",
);
const headerName = when(
  (value) => isText(value) && TOKEN.test(value),
  'must be an HTTP header name such as "X-CSRF-TOKEN"',
);
const cookieName = when(
  (value) => isText(value) && TOKEN.test(value),
  "must be a cookie name of letters, digits, - and _",
);
const cookiePath = when(
  (value) => isText(value) && /^\/[\x21-\x3a\x3c-\x7e]*$/.test(value),
  'must be a path that begins with "/", without blanks or ";"',
);
const DOMAIN = /^\.?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/;

/** Whether a value can stand in the `Domain` attribute of a cookie. */
export const isCookieDomain = (value: unknown): value is string => isText(value) && DOMAIN.test(value);

const names: Check = (value, behaviour) =>
  (isText(value) && (value !== "" || !behaviour.decideAudience)) ||
  (isList(value) &&
    (value.length > 0 || !behaviour.decideAudience) &&
    value.every(isText) &&
    (!value.includes("") || !behaviour.decideAudience))
    ? undefined
    : "must be text that is not empty, or a list of such; leave the option out to have none";
const lifetime: Check = (value, behaviour) => {
  if (value === false) return undefined;
  const seconds = parseDuration(value as number | string);
  const mend = 'must be seconds as a number, text such as "15m" or "30d", or false for never';
  if (seconds === undefined || !Number.isInteger(seconds)) return mend;
  if (seconds === 0) return "must not be 0: give false for tokens that never expire";
  return seconds < 0 && behaviour.boundLifetimes ? mend : undefined;
};
const bound: Check = (value) => {
  const seconds = value === false ? 1 : parseDuration(value as number | string);
  return seconds !== undefined && seconds > 0 ? undefined : 'must be a duration such as "24h", or false for no bound';
};
const origin = (value: unknown): boolean => {
  if (!isText(value)) return false;
  try {
    const url = new URL(value);
    return url.origin === value && /^https?:$/.test(url.protocol);
  } catch {
    return false;
  }
};
const ORIGIN = 'must be an origin such as "https://app.example.com", lower case, without a path';

const CHECKS: Readonly<Record<keyof JwtOptions, Check>> = {
  secretKey: anyKey,
  privateKey: anyKey,
  publicKey: anyKey,
  algorithm: when(
    isAlgorithm,
    'must be a signature algorithm of RFC 7518 such as "HS256", "RS256", "ES256" or "EdDSA"',
  ),
  decodeAlgorithms: (value, behaviour) =>
    isList(value) && (behaviour.dropMisfits || (value.length > 0 && value.every(isAlgorithm)))
      ? undefined
      : 'must be a list of algorithms such as ["HS256"]',
  audience: (value, behaviour) => (value === false ? undefined : names(value, behaviour)),
  encodeAudience: names,
  decodeAudience: (value, behaviour) => (value === false ? undefined : names(value, behaviour)),
  issuer: names,
  encodeIssuer: (value, behaviour) => (isText(value) ? names(value, behaviour) : "must be text"),
  decodeIssuer: names,
  leeway: (value, behaviour) => {
    const max = behaviour.boundLifetimes ? 300 : Number.MAX_SAFE_INTEGER;
    return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
      ? undefined
      : "must be whole seconds from 0 to 300";
  },
  encodeNbf: boolean,
  identityClaim: (value, behaviour) => {
    const taken = behaviour.guardReserved && value !== "sub" && RESERVED_CLAIMS.has(value as string);
    return taken ? "must not be a claim that the library writes itself" : filled(value, behaviour);
  },
  verifySub: boolean,
  requireJti: boolean,
  scopeClaim: filled,
  rolesClaim: filled,
  claimsSchema: when(
    (value) =>
      typeof (value as { "~standard"?: { validate?: unknown } } | null)?.["~standard"]?.validate === "function",
    "must be a Standard Schema, as zod and valibot make them",
  ),
  accessTokenExpires: lifetime,
  refreshTokenExpires: lifetime,
  maxAccessLifetime: bound,
  maxRefreshLifetime: bound,
  grace: (value) => {
    const seconds = parseDuration(value as number | string);
    return seconds !== undefined && seconds >= 0 && seconds <= 60
      ? undefined
      : "must be a duration from 0 to 60 seconds";
  },
  tokenLocation: when(
    (value) => {
      const places = isList(value) ? value : [value];
      return (
        places.length > 0 &&
        places.every((place) => LOCATIONS.includes(place as string)) &&
        new Set(places).size === places.length
      );
    },
    `must be one or more of ${LOCATIONS.map((place) => `"${place}"`).join(", ")}`,
  ),
  headerName,
  headerType: when(
    (value) => value === "" || (isText(value) && TOKEN.test(value)),
    'must be one word such as "Bearer", or ""',
  ),
  queryStringName: filled,
  queryStringValuePrefix: text,
  jsonKey: filled,
  refreshJsonKey: filled,
  maxBodyBytes: when((value) => Number.isInteger(value) && (value as number) > 0, "must be a positive number of bytes"),
  accessCookieName: cookieName,
  refreshCookieName: cookieName,
  accessCookiePath: cookiePath,
  refreshCookiePath: cookiePath,
  cookieDomain: (value, behaviour) =>
    typeof value === "function" || isCookieDomain(value) || (value === "" && behaviour.emptyIsUnset)
      ? undefined
      : 'must be a domain such as "example.com"; leave it out for this host alone',
  cookieSecure: boolean,
  cookieSameSite: (value, behaviour) =>
    isText(value) &&
    (behaviour.strictProduction ? ["Strict", "Lax", "None"].includes(value) : /^(strict|lax|none)$/i.test(value))
      ? undefined
      : 'must be "Strict", "Lax" or "None"',
  sessionCookie: boolean,
  cookiePrefix: oneOf("auto", ""),
  legacyCookies: when(
    (value) =>
      isList(value) &&
      value.every((cookie) => {
        const { domain, path } = (cookie ?? {}) as { domain?: unknown; path?: unknown };
        return (
          (domain === undefined || isCookieDomain(domain)) &&
          (path === undefined || cookiePath(path, undefined as never) === undefined)
        );
      }),
    'must be a list such as [{ domain: "example.com", path: "/" }]',
  ),
  implicitRefresh: boolean,
  cookieCsrfProtect: boolean,
  csrfMode: oneOf("double-submit", "fetch-metadata"),
  trustedOrigins: when((value) => isList(value) && value.every(origin), `must be a list; each entry ${ORIGIN}`),
  publicOrigin: when(origin, ORIGIN),
  csrfMethods: when(
    (value) => isList(value) && value.every((name) => isText(name) && TOKEN.test(name)),
    'must be a list of methods such as ["POST"]',
  ),
  csrfCheckForm: boolean,
  csrfInCookies: boolean,
  accessCsrfCookieName: cookieName,
  refreshCsrfCookieName: cookieName,
  accessCsrfCookiePath: cookiePath,
  refreshCsrfCookiePath: cookiePath,
  accessCsrfHeaderName: headerName,
  refreshCsrfHeaderName: headerName,
  accessCsrfFieldName: filled,
  refreshCsrfFieldName: filled,
  dpop: (value) => dpopFault(value, origin),
  errorMessageKey: filled,
  loaders: (value) => {
    if (typeof value !== "object" || value === null) return "must be an object of functions";
    for (const [name, loader] of Object.entries(value)) {
      if (!(LOADER_NAMES as readonly string[]).includes(name)) return `has no loader called "${name}"`;
      if (loader !== undefined && typeof loader !== "function") return `must hold functions: "${name}" is none`;
    }
    return undefined;
  },
  store: when(
    (value) => value === null || typeof (value as { isRevoked?: unknown }).isRevoked === "function",
    "must be a store such as memoryStore(), or null for none",
  ),
  onStoreError: oneOf("deny", "allow"),
  storeTimeout: bound,
  verifyCache: when(
    (value) =>
      typeof value === "boolean" ||
      (typeof value === "object" &&
        value !== null &&
        Object.values(value).every((size) => size === undefined || (Number.isInteger(size) && size > 0))),
    "must be true, false or { entries, bytes } with positive numbers",
  ),
  ambientContext: boolean,
  clock: method,
  compat: oneOf("flask"),
  warn: method,
};

/** The faults of single options by name, unknown names included. Values are never quoted: one of them may be a secret. */
export function checkOptions(options: Readonly<Record<string, unknown>>, behaviour: Behaviour): Map<string, string> {
  const faults = new Map<string, string>();
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(CHECKS, name)) {
      faults.set(name, `${name} is no option: look it up in docs/options.md, and mind the spelling.`);
    } else if (value !== undefined) {
      const fault = CHECKS[name as keyof JwtOptions](value, behaviour);
      if (fault !== undefined) faults.set(name, `${name} ${fault}.`);
    }
  }
  return faults;
}

/** The names of all options. */
export const OPTION_NAMES = Object.freeze(Object.keys(CHECKS)) as readonly (keyof JwtOptions)[];
