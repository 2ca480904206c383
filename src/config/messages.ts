import type { JwtLocation } from "../types.ts";

/** The sentences that name options or places. None of them ever holds input, but for `userNotFound` in Flask's wording. */
export interface Messages {
  missingHeader(name: string, type: string): string | undefined;
  missingHeaderType(name: string, type: string): string | undefined;
  badHeader(name: string, type: string): string | undefined;
  missingCookie(name: string): string | undefined;
  missingQuery(name: string): string | undefined;
  badQueryPrefix(name: string, prefix: string): string | undefined;
  jsonContentType(why: string): string | undefined;
  missingJsonKey(key: string): string | undefined;
  missingToken(places: readonly JwtLocation[], texts: readonly string[]): string;
  csrfMissing(header: string, cookie: string | undefined, field: string | undefined): string | undefined;
  csrfMissingClaim(): string | undefined;
  csrfMismatch(): string | undefined;
  missingClaim(name: string): string | undefined;
  wrongType(wanted: "access" | "refresh"): string | undefined;
  notFresh(): string | undefined;
  claimsRefused(): string | undefined;
  userNotFound(identity: unknown): string | undefined;
}

const headerForm = (name: string, type: string): string =>
  type === "" ? `${name}: <token>` : `${name}: ${type} <token>`;

/** Our own words: they say what was looked for, and never what was found. */
export const OUR_MESSAGES: Messages = Object.freeze<Messages>({
  missingHeader: (name, type) => `the header "${headerForm(name, type)}"`,
  missingHeaderType: (name, type) => `the header "${headerForm(name, type)}" (it names another scheme)`,
  badHeader: (name, type) => `The header ${name} must hold exactly one credential: "${headerForm(name, type)}"`,
  missingCookie: (name) => `the cookie "${name}"`,
  missingQuery: (name) => `the query parameter "${name}"`,
  badQueryPrefix: (name, prefix) => `The query parameter "${name}" must begin with "${prefix}"`,
  jsonContentType: (why) => `a JSON body (${why})`,
  missingJsonKey: (key) => `the member "${key}" of a JSON body`,
  missingToken: (_places, texts) => `No token was sent. Looked for ${texts.join("; ")}.`,
  csrfMissing: (header, cookie, field) =>
    `CSRF value is missing: send ${cookie === undefined ? "it" : `the value of the cookie "${cookie}"`} in the header "${header}"${field === undefined ? "" : ` or the form field "${field}"`}`,
  csrfMissingClaim: () => undefined,
  csrfMismatch: () => undefined,
  missingClaim: () => undefined,
  wrongType: (wanted) =>
    `Token is of the wrong type: this needs ${wanted === "access" ? "an access" : "a refresh"} token`,
  notFresh: () => undefined,
  claimsRefused: () => undefined,
  userNotFound: () => undefined,
});

const orList = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;

/** The words of Flask-JWT-Extended 4.7.4, letter by letter, its misspelling included. */
export const FLASK_MESSAGES: Messages = Object.freeze<Messages>({
  missingHeader: (name) => `Missing ${name} Header`,
  missingHeaderType: (name, type) => `Missing '${type}' type in '${name}' header. Expected '${name}: ${type} <JWT>'`,
  badHeader: (name, type) => `Bad ${name} header. Expected '${name}: ${type === "" ? "" : `${type} `}<JWT>'`,
  missingCookie: (name) => `Missing cookie "${name}"`,
  missingQuery: (name) => `Missing '${name}' query paramater`,
  badQueryPrefix: (name, prefix) =>
    `Invalid value for query parameter '${name}'. Expected the value to start with '${prefix}'`,
  jsonContentType: () => "Invalid content-type. Must be application/json.",
  missingJsonKey: (key) => `Missing "${key}" key in json data.`,
  missingToken: (places, texts) =>
    texts.length === 1 ? String(texts[0]) : `Missing JWT in ${orList(places)} (${texts.join("; ")})`,
  csrfMissing: () => "Missing CSRF token",
  csrfMissingClaim: () => "Missing claim: csrf",
  csrfMismatch: () => "CSRF double submit tokens do not match",
  missingClaim: (name) => `Missing claim: ${name}`,
  wrongType: (wanted) => `Only ${wanted === "access" ? "non-refresh" : "refresh"} tokens are allowed`,
  notFresh: () => "Fresh token required",
  claimsRefused: () => "User claims verification failed",
  userNotFound: (identity) => `Error loading the user ${String(identity)}`,
});
