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
  const revision = store.revision();
  if (revision !== undefined && memo.standing === revision) return weigh(false, passage);
  memo.query ??= revocationQuery(header, claims, config);
  const answer = store.isRevoked(memo.query);
  if (answer instanceof Promise) return weighLater(answer, passage);
  if (answer === false) memo.standing = revision;
  return weigh(answer, passage);
}

const weighLater = (answer: Promise<boolean | JwtError>, passage: Passage): Promise<JwtError | undefined> =>
  answer.then((late) => weigh(late, passage));

function weigh(answer: boolean | JwtError, passage: Passage): JwtError | undefined {
  const { rule } = passage;
  if (answer === false) note(passage);
  return typeof answer === "boolean" || rule.config.onStoreError === "deny" ? refuse(answer) : undefined;
}

/** Notes now and then that the session is in use. */
function note({ rule, memo, now }: Passage): void {
  // A clock that moved back counts as a new minute.
  if (memo.notedAt !== undefined && Math.abs(now - memo.notedAt * 1000) < TOUCH_EVERY) return;
  const sid = memo.query?.sid;
  if (sid === undefined) return;
  memo.notedAt = Math.ceil(now / 1000);
  rule.store?.touch(sid, now);
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
