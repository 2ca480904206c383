import type { JwtOptions } from "./options.ts";

/** Flask-JWT-Extended's 43 options and ours: the only translation between the two. */
export const FLASK_NAMES = {
  JWT_ACCESS_TOKEN_EXPIRES: "accessTokenExpires",
  JWT_ALGORITHM: "algorithm",
  JWT_DECODE_ALGORITHMS: "decodeAlgorithms",
  JWT_DECODE_AUDIENCE: "decodeAudience",
  JWT_DECODE_ISSUER: "decodeIssuer",
  JWT_DECODE_LEEWAY: "leeway",
  JWT_ENCODE_AUDIENCE: "encodeAudience",
  JWT_ENCODE_ISSUER: "encodeIssuer",
  JWT_ENCODE_NBF: "encodeNbf",
  JWT_ERROR_MESSAGE_KEY: "errorMessageKey",
  JWT_IDENTITY_CLAIM: "identityClaim",
  JWT_PRIVATE_KEY: "privateKey",
  JWT_PUBLIC_KEY: "publicKey",
  JWT_REFRESH_TOKEN_EXPIRES: "refreshTokenExpires",
  JWT_SECRET_KEY: "secretKey",
  JWT_TOKEN_LOCATION: "tokenLocation",
  JWT_VERIFY_SUB: "verifySub",
  JWT_HEADER_NAME: "headerName",
  JWT_HEADER_TYPE: "headerType",
  JWT_ACCESS_COOKIE_NAME: "accessCookieName",
  JWT_ACCESS_COOKIE_PATH: "accessCookiePath",
  JWT_COOKIE_CSRF_PROTECT: "cookieCsrfProtect",
  JWT_COOKIE_DOMAIN: "cookieDomain",
  JWT_COOKIE_SAMESITE: "cookieSameSite",
  JWT_COOKIE_SECURE: "cookieSecure",
  JWT_REFRESH_COOKIE_NAME: "refreshCookieName",
  JWT_REFRESH_COOKIE_PATH: "refreshCookiePath",
  JWT_SESSION_COOKIE: "sessionCookie",
  JWT_ACCESS_CSRF_COOKIE_NAME: "accessCsrfCookieName",
  JWT_ACCESS_CSRF_COOKIE_PATH: "accessCsrfCookiePath",
  JWT_ACCESS_CSRF_FIELD_NAME: "accessCsrfFieldName",
  JWT_ACCESS_CSRF_HEADER_NAME: "accessCsrfHeaderName",
  JWT_CSRF_CHECK_FORM: "csrfCheckForm",
  JWT_CSRF_IN_COOKIES: "csrfInCookies",
  JWT_CSRF_METHODS: "csrfMethods",
  JWT_REFRESH_CSRF_COOKIE_NAME: "refreshCsrfCookieName",
  JWT_REFRESH_CSRF_COOKIE_PATH: "refreshCsrfCookiePath",
  JWT_REFRESH_CSRF_FIELD_NAME: "refreshCsrfFieldName",
  JWT_REFRESH_CSRF_HEADER_NAME: "refreshCsrfHeaderName",
  JWT_QUERY_STRING_NAME: "queryStringName",
  JWT_QUERY_STRING_VALUE_PREFIX: "queryStringValuePrefix",
  JWT_JSON_KEY: "jsonKey",
  JWT_REFRESH_JSON_KEY: "refreshJsonKey",
} as const satisfies Record<string, keyof JwtOptions>;

/** Options for which Flask's `None` means "not set"; for any other it is a mistake, and reported as one. */
const NULLABLE: ReadonlySet<string> = new Set([
  "secretKey",
  "privateKey",
  "publicKey",
  "decodeAlgorithms",
  "decodeAudience",
  "encodeAudience",
  "decodeIssuer",
  "encodeIssuer",
  "cookieDomain",
  "cookieSameSite",
]);

/**
 * Turns a Flask configuration into options with `compat: "flask"`. Unknown names are ignored, as in Flask; `null` is
 * "not set". `SECRET_KEY` is the HMAC secret where `JWT_SECRET_KEY` is empty. Times are seconds.
 */
export function fromFlaskConfig(config: Readonly<Record<string, unknown>>): JwtOptions {
  const options: Record<string, unknown> = { compat: "flask" };
  for (const [flask, ours] of Object.entries(FLASK_NAMES)) {
    const value = Object.hasOwn(config, flask) ? config[flask] : undefined;
    if (value !== undefined && !(value === null && NULLABLE.has(ours))) options[ours] = value;
  }
  if (!options.secretKey && config.SECRET_KEY) options.secretKey = config.SECRET_KEY;
  // There, a header type of None is one of the two ways to say that the token stands alone.
  if (options.headerType === null) options.headerType = "";
  for (const key of ["secretKey", "privateKey", "publicKey"]) if (options[key] === "") delete options[key];
  return options as JwtOptions;
}

type Reader = (text: string) => unknown;
const list: Reader = (text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
const flag: Reader = (text) => {
  const word = text.trim().toLowerCase();
  if (["1", "true", "yes", "on"].includes(word)) return true;
  return ["0", "false", "no", "off"].includes(word) ? false : text;
};
const duration: Reader = (text) => {
  if (flag(text) === false && !/^\d/.test(text.trim())) return false;
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim();
};
const number: Reader = (text) => (/^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text);
const oneOrMore: Reader = (text) => (text.includes(",") ? list(text) : text);

const READERS: Readonly<Record<string, Reader>> = {
  accessTokenExpires: duration,
  refreshTokenExpires: duration,
  decodeAlgorithms: list,
  decodeAudience: (text) => (flag(text) === false ? false : oneOrMore(text)),
  encodeAudience: oneOrMore,
  decodeIssuer: oneOrMore,
  leeway: number,
  encodeNbf: flag,
  verifySub: flag,
  tokenLocation: list,
  cookieCsrfProtect: flag,
  cookieSecure: flag,
  sessionCookie: flag,
  csrfCheckForm: flag,
  csrfInCookies: flag,
  csrfMethods: list,
};

/**
 * Reads the `JWT_…` variables of an environment, in Flask's names, as text: lists with commas, booleans as
 * `true`/`false`, durations as seconds or `"15m"`. Our own defaults stay. Values that make no sense are left for the
 * constructor of `JWTManager` to report; `JWT_…` names that are no option are reported by it, too.
 */
export function fromEnv(env: Readonly<Record<string, string | undefined>>): JwtOptions {
  const options: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith("JWT_") || text === undefined) continue;
    const option = Object.hasOwn(FLASK_NAMES, name) ? FLASK_NAMES[name as keyof typeof FLASK_NAMES] : name;
    // An empty variable is how shells say "not set"; only these two mean something when empty.
    if (text === "" && option !== "headerType" && option !== "queryStringValuePrefix") continue;
    const read = READERS[option];
    options[option] = read ? read(text) : text.replaceAll("\\n", "\n");
  }
  return options as JwtOptions;
}

const VARIABLES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(FLASK_NAMES).map(([variable, option]) => [option, variable] as const),
  ["publicOrigin", "PUBLIC_ORIGIN"],
]);

/** A fault of the options in the names of an environment: `JWT_SECRET_KEY` for `secretKey`. */
export function inVariables(fault: string): string {
  return fault
    .replace(/^audience\b/, "JWT_DECODE_AUDIENCE")
    .replace(/\baudience: false\b/g, "JWT_DECODE_AUDIENCE=false")
    .replace(/^\w+|\b[a-z]+[A-Z]\w*/g, (word) => VARIABLES.get(word) ?? word);
}
