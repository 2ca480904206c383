import type { Harness } from "../support/harness/types.ts";
import { feature as bodies } from "./adapter-bodies.ts";
import { feature as disconnects } from "./adapter-disconnects.ts";
import { feature as errors } from "./adapter-errors.ts";
import { feature as headers } from "./adapter-headers.ts";
import { feature as methods } from "./adapter-methods.ts";
import { feature as mounts } from "./adapter-mounts.ts";
import { feature as protects } from "./adapter-protect.ts";
import { feature as replies } from "./adapter-replies.ts";
import { feature as ambient } from "./ambient.ts";
import { feature as caching } from "./caching.ts";
import { feature as clock } from "./clock.ts";
import { feature as cookies } from "./cookies.ts";
import { feature as csrf } from "./csrf.ts";
import { feature as csrfOrigin } from "./csrf-origin.ts";
import { feature as dpop } from "./dpop.ts";
import { feature as dpopLogin } from "./dpop-login.ts";
import { feature as refusals } from "./errors.ts";
import { feature as freshness } from "./freshness.ts";
import { feature as tokenHeaders } from "./headers.ts";
import { feature as implicitRefresh } from "./implicit-refresh.ts";
import { feature as jsonBody } from "./json-body.ts";
import { feature as login } from "./login.ts";
import { feature as oddNames } from "./odd-names.ts";
import { feature as optional } from "./optional.ts";
import { feature as order } from "./order.ts";
import { feature as queryString } from "./query-string.ts";
import { feature as refresh } from "./refresh.ts";
import { feature as revocation } from "./revocation.ts";
import { feature as rolesScopes } from "./roles-scopes.ts";
import { feature as rotation } from "./rotation.ts";
import { feature as routes } from "./routes.ts";
import { feature as routesLogout } from "./routes-logout.ts";
import { feature as twoManagers } from "./two-managers.ts";
import { feature as types } from "./types.ts";
import { feature as users } from "./users.ts";
import { feature as verifyCache } from "./verify-cache.ts";

/** Everything a user can see of the library, each tested through every adapter. A new feature is one more line here. */
const FEATURES: readonly ((harness: Harness) => void)[] = [
  bodies,
  disconnects,
  errors,
  headers,
  methods,
  mounts,
  protects,
  replies,
  ambient,
  caching,
  clock,
  cookies,
  csrf,
  csrfOrigin,
  dpop,
  dpopLogin,
  refusals,
  freshness,
  tokenHeaders,
  implicitRefresh,
  jsonBody,
  login,
  oddNames,
  optional,
  order,
  queryString,
  refresh,
  revocation,
  rolesScopes,
  rotation,
  routes,
  routesLogout,
  twoManagers,
  types,
  users,
  verifyCache,
];

/** Declares the tests of all features for one adapter. */
export function features(harness: Harness): void {
  for (const feature of FEATURES) feature(harness);
}
