import type { ResolvedConfig } from "../config/resolve.ts";
import { ConfigError, type JwtError } from "../errors.ts";
import type { JwtReply } from "../http/types.ts";
import { parseDuration } from "../internal/duration.ts";
import type { Search } from "../locations/finding.ts";
import type { StoreCalls } from "../sessions/store-calls.ts";
import type { TokenVerifier } from "../token/verify.ts";
import type { AnyClaims, GuardOptions, JwtLocation, Wanted } from "../types.ts";
import { roles, scopes } from "./checks/authority.ts";
import { schema, verification } from "./checks/claims.ts";
import { csrfMatch } from "./checks/csrf.ts";
import { possession, unbound } from "./checks/dpop.ts";
import { expiry } from "./checks/expiry.ts";
import { findIt } from "./checks/find.ts";
import { freshness } from "./checks/freshness.ts";
import { blocklist, revocation } from "./checks/revocation.ts";
import { signature } from "./checks/signature.ts";
import { tokenType } from "./checks/type.ts";
import { lastWord, user } from "./checks/user.ts";
import { keepLine, knowsLines } from "./known-line.ts";
import type { Check, GuardRule, Passage, WantedNames } from "./passage.ts";
import type { ProofGate } from "./proof-gate.ts";

const LOCATIONS: readonly string[] = ["headers", "cookies", "query_string", "json"];
const OPTIONS: ReadonlySet<string> = new Set([
  "optional",
  "fresh",
  "refresh",
  "locations",
  "verifyType",
  "skipRevocationCheck",
  "roles",
  "scopes",
  "verify",
]);

/** Shared caches keep no answers to requests with `Authorization` (RFC 9111 §3.5); of what else tells visitors apart they must be told. */
function varying(
  places: readonly JwtLocation[],
  { behaviour, headerName, tokenHeader }: ResolvedConfig,
): JwtReply["headers"] {
  if (!behaviour.noStore) return [];
  const names = places.includes("cookies") ? ["Cookie"] : [];
  if (places.includes("headers") && tokenHeader !== "authorization") names.push(headerName);
  return names.map((name) => ["vary", name] as const);
}

let guards = 0;

/** The checks that find and read a token, and judge it alone. */
export const TOKEN_CHECKS: readonly Check[] = [findIt, signature, csrfMatch, expiry];

/**
 * Reads the options of a guard once, where the route is defined.
 * @throws ConfigError for options that can never let a token pass, or that do not exist.
 */
export function compileGuard(
  options: GuardOptions<never, never>,
  config: ResolvedConfig,
  verifier: TokenVerifier,
  store: StoreCalls | undefined,
  proofs: ProofGate | undefined,
): GuardRule {
  const faults = guardFaults(options as GuardOptions, config);
  if (faults.length > 0) throw new ConfigError(faults);
  const { access, refresh } = config.names;
  const anyType = options.verifyType === false;
  const names = options.refresh
    ? [refresh]
    : anyType && config.behaviour.anyTypeReadsBoth
      ? [access, refresh]
      : [access];
  const search: Search = {
    config,
    places:
      options.locations === undefined ? config.locations : [options.locations as JwtLocation | JwtLocation[]].flat(),
    kinds: names,
    quick: true,
  };
  const fresh =
    typeof options.fresh === "boolean" || options.fresh === undefined
      ? options.fresh === true
      : (parseDuration(options.fresh) as number);
  const wanted = { roles: wantedNames(options.roles), scopes: wantedNames(options.scopes) };
  const checkRevocation = options.skipRevocationCheck !== true;
  const { loaders } = config;
  // The one order of checks. What this route or manager does not ask for is left out once, here.
  const checks: Check[] = [...TOKEN_CHECKS];
  const kind = !anyType || config.behaviour.exactTypes ? [tokenType] : [];
  const authority = [...(wanted.roles ? [roles] : []), ...(wanted.scopes ? [scopes] : [])];
  if (proofs) checks.push(...kind, possession(proofs), ...(fresh === false ? [] : [freshness]), ...authority);
  else if (fresh === false) checks.push(once([...kind, unbound, ...authority]));
  else checks.push(once([...kind, unbound]), freshness, ...authority);
  if (checkRevocation && store) checks.push(revocation);
  if (checkRevocation && loaders.tokenInBlocklist) checks.push(blocklist);
  if (loaders.tokenVerification) checks.push(verification);
  if (config.claimsSchema) checks.push(schema);
  if (loaders.userLookup) checks.push(user);
  if (options.verify) checks.push(lastWord);
  return {
    id: ++guards,
    config,
    search,
    verifier,
    store,
    optional: options.optional ?? false,
    type: anyType ? undefined : options.refresh ? "refresh" : "access",
    fresh,
    ...wanted,
    checkRevocation,
    verify: options.verify as GuardOptions<unknown, AnyClaims>["verify"],
    checks,
    knowsLines: proofs === undefined && knowsLines(search),
    headers: Object.freeze(varying(search.places, config)),
  };
}

/** Checks that depend on the token and the guard alone: a token that passed them need not do so again. */
function once(checks: readonly ((passage: Passage) => JwtError | undefined)[]): Check {
  return (passage) => {
    if (passage.memo.passed !== passage.rule.id) {
      for (const check of checks) {
        const refusal = check(passage);
        if (refusal) return refusal;
      }
    }
    keepLine(passage);
    return undefined;
  };
}

/** Whether a guard may have to read a body. */
export function needsBody({ search }: GuardRule): boolean {
  const { places, config } = search;
  return places.includes("json") || (places.includes("cookies") && config.csrf.protect && config.csrf.checkForm);
}

function wantedNames(wanted: Wanted | undefined): WantedNames | undefined {
  if (wanted === undefined) return undefined;
  if (typeof wanted === "object" && "any" in wanted) return { names: [...wanted.any], any: true };
  return { names: [wanted].flat() as string[], any: false };
}

function guardFaults(options: GuardOptions, config: ResolvedConfig): string[] {
  const faults: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !OPTIONS.has(name)) faults.push(`A guard has no option called ${name}.`);
  }
  const places = [options.locations ?? []].flat();
  if (options.locations !== undefined && (places.length === 0 || places.some((place) => !LOCATIONS.includes(place)))) {
    faults.push(`locations of a guard must be one or more of ${LOCATIONS.map((place) => `"${place}"`).join(", ")}.`);
  }
  if (![undefined, true, false, "lenient"].includes(options.optional))
    faults.push('optional of a guard must be true, false or "lenient".');
  if (typeof options.fresh === "number" || typeof options.fresh === "string") {
    const seconds = parseDuration(options.fresh);
    if (seconds === undefined || seconds <= 0)
      faults.push('fresh of a guard must be true, false or a duration such as "5m".');
  }
  if (options.fresh && options.refresh && config.behaviour.exactTypes) {
    faults.push(
      "A guard cannot ask for a refresh token that is fresh: refresh tokens never are. Drop one of refresh and fresh.",
    );
  }
  for (const name of ["roles", "scopes"] as const) {
    const wanted = wantedNames(options[name]);
    if (wanted && (wanted.names.length === 0 || wanted.names.some((one) => typeof one !== "string" || one === ""))) {
      faults.push(`${name} of a guard must name at least one, such as "admin", ["a", "b"] or { any: ["a", "b"] }.`);
    }
  }
  if (options.verify !== undefined && typeof options.verify !== "function")
    faults.push("verify of a guard must be a function.");
  return faults;
}
