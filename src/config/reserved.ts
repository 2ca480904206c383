/** Claims that only the library writes. */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  "sub",
  "type",
  "exp",
  "nbf",
  "iat",
  "jti",
  "sid",
  "gen",
  "csrf",
  "fresh",
  "iss",
  "aud",
  "cnf",
  "auth_time",
]);

/** Header members that only the library writes (RFC 7515 §4.1, RFC 7797). */
export const RESERVED_HEADERS: ReadonlySet<string> = new Set(["alg", "typ", "kid", "crit", "b64"]);
