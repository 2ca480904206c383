import { ExpiredTokenError, isJwtError, type JwtError, withToken } from "../errors.ts";
import type { JwtRequest } from "../http/types.ts";
import { isThenable } from "../internal/thenable.ts";
import type { Memo } from "../token/token-rules.ts";
import type { Anonymous, AnyClaims, AuthContext, JwtHeader, MaybePromise } from "../types.ts";
import { authContext, EXPIRED, MISSING } from "./auth-context.ts";
import { yieldsTo } from "./checks/expiry.ts";
import { TOKEN_CHECKS } from "./compile.ts";
import { AFTER_RECALL, recall } from "./known-line.ts";
import type { Check, GuardRule, Passage } from "./passage.ts";

const NO_HEADER = Object.freeze({ alg: "" }) as JwtHeader;
const NO_CLAIMS: AnyClaims = Object.freeze({});
const NO_MEMO: Memo = Object.freeze({
  begins: undefined,
  ends: undefined,
  passed: undefined,
  line: undefined,
  found: undefined,
  query: undefined,
  standing: undefined,
  notedAt: undefined,
});

const UNSEEN = [
  ["cache-control", "no-store"],
  ["referrer-policy", "no-referrer"],
] as const;

/** What a request that passed leaves: who it is, and headers for the answer. */
export interface Admitted {
  readonly ok: true;
  readonly auth: AuthContext<unknown, AnyClaims> | Anonymous;
  readonly headers: ReadonlyArray<readonly [string, string]>;
}

/** Takes a request through the checks of a guard. Synchronous until the first check that has to wait. */
export function admit(request: JwtRequest, rule: GuardRule): MaybePromise<Admitted | JwtError> {
  const passage: Passage = {
    request,
    rule,
    now: rule.config.clock(),
    from: 0,
    found: undefined,
    header: NO_HEADER,
    claims: NO_CLAIMS,
    memo: NO_MEMO,
    expired: false,
    shown: NO_CLAIMS,
    user: undefined,
    headers: rule.headers,
  };
  const refusal = run(passage, rule.checks, rule.knowsLines && recall(passage) ? AFTER_RECALL : 0);
  return refusal instanceof Promise ? settleLater(passage, refusal) : settle(passage, refusal);
}

// What waits stands in functions of its own, here and in the checks: a closure costs each request its variables, even where it is never made.
const settleLater = (passage: Passage, refusal: Promise<JwtError | undefined>): Promise<Admitted | JwtError> =>
  refusal.then((late) => settle(passage, late));

function run(passage: Passage, checks: readonly Check[], from = 0): MaybePromise<JwtError | undefined> {
  for (let index = from; index < checks.length; index++) {
    const refusal = (checks[index] as Check)(passage);
    if (refusal === undefined) continue;
    return isThenable(refusal) ? runLater(refusal, passage, checks, index + 1) : elsewhere(passage, refusal, checks);
  }
  return undefined;
}

function runLater(
  refusal: PromiseLike<JwtError | undefined>,
  passage: Passage,
  checks: readonly Check[],
  next: number,
): Promise<JwtError | undefined> {
  return Promise.resolve(refusal).then((late) =>
    late ? elsewhere(passage, late, checks) : run(passage, checks, next),
  );
}

/** An expired cookie before a header that was sent gives way to it: the client moved on, the browser did not. */
function elsewhere(passage: Passage, refusal: JwtError, checks: readonly Check[]): MaybePromise<JwtError | undefined> {
  const next = refusal instanceof ExpiredTokenError ? yieldsTo(passage) : -1;
  if (next < 0) return refusal;
  const { found, header, claims, memo, shown, rule } = passage;
  passage.from = next;
  const resume = (again: JwtError | undefined): MaybePromise<JwtError | undefined> => {
    if (again && again.code !== "token_missing") return again;
    if (again) {
      Object.assign(passage, { found, header, claims, memo, shown });
      if (rule.optional !== "lenient") return refusal;
      passage.expired = true;
    }
    return run(passage, checks, TOKEN_CHECKS.length);
  };
  const outcome = run(passage, TOKEN_CHECKS);
  return outcome instanceof Promise ? outcome.then(resume) : resume(outcome);
}

function settle(passage: Passage, refusal: JwtError | undefined): Admitted | JwtError {
  const { rule } = passage;
  // An address with a token in it must not be kept, or handed on to the pages it links to.
  if (passage.found?.location === "query_string" && rule.config.behaviour.noStore)
    passage.headers = [...passage.headers, ...UNSEEN];
  const { headers } = passage;
  if (!refusal) return { ok: true, auth: passage.expired ? EXPIRED : authContext(passage), headers };
  if (refusal.code === "token_missing" && rule.optional !== false) return { ok: true, auth: MISSING, headers };
  return isJwtError(refusal) && passage.claims !== NO_CLAIMS
    ? withToken(refusal, { header: passage.header, claims: passage.claims })
    : refusal;
}

/**
 * Whether a request is let through unchecked, with nobody behind it: a CORS preflight, which browsers send without
 * credentials (Fetch §3.2.2), or every OPTIONS request where that is recorded.
 */
export function isExempt(request: JwtRequest, rule: GuardRule): boolean {
  if (request.method !== "OPTIONS") return false;
  if (!rule.config.behaviour.preflightOnly) return true;
  return request.header("origin").length > 0 && request.header("access-control-request-method").length > 0;
}
