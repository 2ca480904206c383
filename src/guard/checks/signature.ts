import { InvalidTokenError, JwtError } from "../../errors.ts";
import { serializeCookie } from "../../http/cookies.ts";
import type { Found } from "../../locations/finding.ts";
import { lineFault } from "../../locations/headers.ts";
import { revocationQuery } from "../../sessions/query.ts";
import { identityFault } from "../../token/identity.ts";
import { expiredAt, type VerifiedToken } from "../../token/verify.ts";
import { shownClaims } from "../../token/view.ts";
import type { MaybePromise } from "../../types.ts";
import type { Passage } from "../passage.ts";

/** Structure, key, algorithm and signature, then every claim but `exp`. */
export function signature(passage: Passage): MaybePromise<JwtError | undefined> {
  const { tokens } = passage.found as Found;
  if (tokens.length > 1) return oneOfMany(passage, tokens);
  const verified = passage.rule.verifier.verify(tokens[0], passage.now);
  return verified instanceof Promise ? keepLater(passage, verified) : keep(passage, verified);
}

const keepLater = (passage: Passage, verified: Promise<VerifiedToken | JwtError>): Promise<JwtError | undefined> =>
  verified.then((late) => keep(passage, late));

function keep(passage: Passage, verified: VerifiedToken | JwtError): JwtError | undefined {
  if (verified instanceof JwtError) return oddity(passage) ?? verified;
  if (verified.passed !== passage.rule.id) {
    const fault = identityFault(verified.claims, passage.rule.config);
    if (fault) return fault;
  }
  passage.header = verified.header;
  passage.claims = shownClaims(verified.claims, passage.rule.config.behaviour);
  passage.shown = passage.claims;
  passage.memo = verified;
  return undefined;
}

/** What is wrong with the header comes before what is wrong with the token. */
function oddity({ found, rule }: Passage): JwtError | undefined {
  return found?.line === undefined ? undefined : lineFault(found.line, rule.search);
}

/**
 * A cookie that came more than once: a sibling host may have planted one, or an earlier configuration left one behind.
 * Exactly one live token is used; two of different sessions are never chosen between.
 */
async function oneOfMany(passage: Passage, tokens: readonly unknown[]): Promise<JwtError | undefined> {
  const { rule, now } = passage;
  const { leeway, behaviour } = rule.config;
  const live: VerifiedToken[] = [];
  let dead: VerifiedToken | undefined;
  let fault: JwtError | undefined;
  for (const token of tokens) {
    const verified = await rule.verifier.verify(token, now);
    if (verified instanceof JwtError) fault ??= verified;
    else if (expiredAt(verified.claims, now, leeway, behaviour.cutTimes) || (await ended(passage, verified)))
      dead ??= verified;
    else live.push(verified);
  }
  const [first, ...others] = live;
  // The checks that follow will say what one that is only dead died of.
  if (!first) return dead ? keep(passage, dead) : fault;
  const sid = first.claims.sid;
  if (others.some((other) => sid === undefined || other.claims.sid !== sid))
    return new InvalidTokenError("ambiguous_cookies");
  const newest = others.reduce(
    (best, other) => (Number(other.claims.iat) > Number(best.claims.iat) ? other : best),
    first,
  );
  clearLegacy(passage);
  return keep(passage, newest);
}

async function ended({ rule }: Passage, { header, claims }: VerifiedToken): Promise<boolean> {
  return (await rule.store?.isRevoked(revocationQuery(header, claims, rule.config))) === true;
}

function clearLegacy(passage: Passage): void {
  const { cookies, behaviour } = passage.rule.config;
  const { kind } = passage.found as Found;
  // A cache that kept the answer would go on clearing.
  const headers = [...passage.headers];
  if (cookies.legacy.length > 0 && behaviour.noStore) headers.push(["cache-control", "no-store"]);
  for (const { domain, path } of cookies.legacy) {
    const gone = {
      path: path ?? kind.cookiePath,
      domain,
      maxAge: 0,
      httpOnly: true,
      secure: cookies.secure,
      sameSite: cookies.sameSite,
    };
    headers.push(["set-cookie", serializeCookie(kind.cookieName, "", gone)]);
  }
  passage.headers = headers;
}
