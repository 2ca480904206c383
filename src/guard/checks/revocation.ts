import { isJwtError, type JwtError, RevokedTokenError, StoreUnavailableError } from "../../errors.ts";
import { isThenable } from "../../internal/thenable.ts";
import { revocationQuery } from "../../sessions/query.ts";
import { TOUCH_EVERY, within } from "../../sessions/store-calls.ts";
import type { MaybePromise } from "../../types.ts";
import type { Passage } from "../passage.ts";

/** The store: token, session, subject. Where it does not answer, nobody gets in, unless `onStoreError` says so. */
export function revocation(passage: Passage): MaybePromise<JwtError | undefined> {
  const { header, claims, memo, rule } = passage;
  const { store, config } = rule;
  if (!store) return undefined;
  memo.query ??= revocationQuery(header, claims, config);
  const answer = store.isRevoked(memo.query);
  return answer instanceof Promise ? weighLater(answer, passage) : weigh(answer, passage);
}

const weighLater = (answer: Promise<boolean | JwtError>, passage: Passage): Promise<JwtError | undefined> =>
  answer.then((late) => weigh(late, passage));

function weigh(answer: boolean | JwtError, { rule, claims, memo, now }: Passage): JwtError | undefined {
  // A clock that moved back counts as a new minute.
  if (answer === false && typeof claims.sid === "string" && Math.abs(now - memo.notedAt) >= TOUCH_EVERY) {
    memo.notedAt = now;
    rule.store?.touch(claims.sid, now);
  }
  return typeof answer === "boolean" || rule.config.onStoreError === "deny" ? refuse(answer) : undefined;
}

function refuse(answer: boolean | JwtError): JwtError | undefined {
  if (typeof answer !== "boolean") return answer;
  return answer ? new RevokedTokenError("token_revoked") : undefined;
}

/** The application's own `tokenInBlocklist`, asked after the store and never instead of it. */
export function blocklist(passage: Passage): MaybePromise<JwtError | undefined> {
  const loader = passage.rule.config.loaders.tokenInBlocklist;
  if (!loader) return undefined;
  try {
    const answer = loader(passage.header, passage.claims as never);
    return isThenable(answer)
      ? within(answer, passage.rule.config.storeTimeout).then((late) => refuse(Boolean(late)), down)
      : refuse(Boolean(answer));
  } catch (error) {
    return down(error);
  }
}

const down = (error: unknown): JwtError =>
  isJwtError(error)
    ? error
    : new StoreUnavailableError("store_unavailable", { cause: error, detail: "tokenInBlocklist threw" });
