import type { TestRoute } from "../support/harness/types.ts";

export type Guard = NonNullable<TestRoute["guard"]>;

/** "All methods" of the specification; a route for GET serves HEAD, too. */
export const ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** SPEC, section 5.1, but for `/bad-location`. */
export const GUARDS: Readonly<Record<string, Guard>> = {
  "/protected": {},
  "/optional": { optional: true },
  "/fresh": { fresh: true },
  "/refresh": { refresh: true },
  "/fresh-refresh": { fresh: true, refresh: true },
  "/optional-fresh": { optional: true, fresh: true },
  "/optional-refresh": { optional: true, refresh: true },
  "/any-type": { verifyType: false },
  "/skip-revocation": { skipRevocationCheck: true },
  "/any-type-skip-revocation": { verifyType: false, skipRevocationCheck: true },
  "/headers-only": { locations: ["headers"] },
  "/cookies-only": { locations: ["cookies"] },
  "/query-only": { locations: ["query_string"] },
  "/json-only": { locations: ["json"] },
  "/headers-string": { locations: "headers" },
  "/cookies-then-headers": { locations: ["cookies", "headers"] },
  "/headers-then-cookies": { locations: ["headers", "cookies"] },
  "/all-locations": { locations: ["headers", "cookies", "query_string", "json"] },
  "/refresh-cookies-only": { refresh: true, locations: ["cookies"] },
  "/optional-cookies-only": { optional: true, locations: ["cookies"] },
};

/** The paths whose guard lets requests without a token pass. */
export const OPTIONAL_PATHS: ReadonlySet<string> = new Set(
  Object.keys(GUARDS).filter((path) => GUARDS[path]?.optional === true),
);

/** What an optional route shows of a request without a token. */
export const ANONYMOUS = { identity: null, claims: {}, header: {}, location: null, user: null } as const;
