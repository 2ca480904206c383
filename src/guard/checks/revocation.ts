import { isJwtError, type JwtError, RevokedTokenError, StoreUnavailableError } from "../../errors.ts";
import { isThenable } from "../../internal/thenable.ts";
import type { RevocationQuery } from "../../stores/contract.ts";
import type { MaybePromise } from "../../types.ts";
import type { Passage } from "../passage.ts";

/** The store: token, session, subject. Where it does not answer, nobody gets in, unless `onStoreError` says so. */
export function revocation(passage: Passage): MaybePromise<JwtError | undefined> {
  if (!passage.rule.store || !passage.rule.checkRevocation) return undefined;
  const answer = askStore(passage, passage.claims);
  return answer instanceof Promise ? answer.then(refuse) : refuse(answer);
}

/** Whether the store knows a token as revoked, or the error that kept it from answering. */
export function askStore(
  { rule }: Passage,
  claims: Readonly<Record<string, unknown>>,
): MaybePromise<boolean | JwtError> {
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === "string" ? value : undefined;
  };
  const issuer = text("iss");
  const iat = claims["iat"];
  const query: RevocationQuery = {
    jti: text("jti"),
    sid: text("sid"),
    subject: text(rule.config.identityClaim),
    issuer: issuer === rule.config.encodeIssuer ? undefined : issuer,
    iat: typeof iat === "number" ? iat : undefined,
  };
  return (rule.store as NonNullable<typeof rule.store>).isRevoked(query);
}

function refuse(answer: boolean | JwtError): JwtError | undefined {
  if (typeof answer !== "boolean") return answer;
  return answer ? new RevokedTokenError("token_revoked") : undefined;
}

/** The application's own `tokenInBlocklist`, asked after the store and never instead of it. */
export function blocklist(passage: Passage): MaybePromise<JwtError | undefined> {
  const loader = passage.rule.config.loaders.tokenInBlocklist;
  if (!loader || !passage.rule.checkRevocation) return undefined;
  try {
    const answer = loader(passage.header, passage.claims as never);
    return isThenable(answer) ? Promise.resolve(answer).then((late) => refuse(Boolean(late)), down) : refuse(Boolean(answer));
  } catch (error) {
    return down(error);
  }
}

const down = (error: unknown): JwtError =>
  isJwtError(error) ? error : new StoreUnavailableError("store_unavailable", { cause: error, detail: "tokenInBlocklist threw" });
