import type { Loaders } from "../config/loaders.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import {
  AccountError,
  CsrfError,
  DpopError,
  ExpiredTokenError,
  InvalidClaimsError,
  InvalidRequestError,
  InvalidTokenError,
  type JwtError,
  NotFreshError,
  RevokedTokenError,
  raise,
  tokenOf,
  UnauthorizedError,
  UsageError,
  UserLookupError,
} from "../errors.ts";
import { challenge } from "../http/challenge.ts";
import type { JwtReply, JwtRequest } from "../http/types.ts";
import { isThenable } from "../internal/thenable.ts";
import type { MaybePromise } from "../types.ts";

/** The one place where a refusal becomes an answer: by the error loaders, else by the rules of RFC 6750 §3. */
export function replyTo(error: JwtError, request: JwtRequest, config: ResolvedConfig): MaybePromise<JwtReply> {
  const answer = loaded(error, request, config);
  const settle = (ready: unknown): MaybePromise<JwtReply> =>
    ready === undefined ? defaultReply(error, request, config) : neutral(ready as Awaited<Loaded>);
  return isThenable(answer) ? Promise.resolve(answer).then(settle) : settle(answer);
}

type Loaded = ReturnType<NonNullable<Loaders["error"]>>;

function loaded(error: JwtError, request: JwtRequest, config: ResolvedConfig): Loaded | undefined {
  const { loaders } = config;
  const name = loaderOf(error, config);
  const loader = name === undefined ? undefined : loaders[name];
  if (!loader) return loaders.error?.(error, request);
  if (name === "invalidToken" || name === "unauthorized") {
    return (loader as NonNullable<Loaders["unauthorized"]>)(error.message, error, request);
  }
  const token = tokenOf(error) ?? { header: {}, claims: {} };
  return (loader as NonNullable<Loaders["expiredToken"]>)(token.header as never, token.claims as never, error, request);
}

type ErrorLoaderName =
  | "expiredToken"
  | "invalidToken"
  | "needsFreshToken"
  | "revokedToken"
  | "tokenVerificationFailed"
  | "unauthorized"
  | "userLookupError";

function loaderOf(error: JwtError, { behaviour }: ResolvedConfig): ErrorLoaderName | undefined {
  if (error instanceof UnauthorizedError) return "unauthorized";
  if (error instanceof InvalidTokenError || error instanceof InvalidRequestError) return "invalidToken";
  if (error instanceof ExpiredTokenError) return "expiredToken";
  if (error instanceof NotFreshError) return "needsFreshToken";
  if (error instanceof RevokedTokenError) return "revokedToken";
  if (error instanceof InvalidClaimsError) return "tokenVerificationFailed";
  if (error instanceof UserLookupError) return "userLookupError";
  if (error instanceof CsrfError && behaviour.csrfIsUnauthorized) {
    return error.code === "csrf_missing_claim" ? "invalidToken" : "unauthorized";
  }
  return undefined;
}

function defaultReply(error: JwtError, request: JwtRequest, config: ResolvedConfig): JwtReply {
  const { behaviour, errorMessageKey } = config;
  const status = behaviour.statuses[error.code] ?? error.status;
  const headers: Array<readonly [string, string]> = [];
  const parameters = behaviour.challenges ? challengeOf(error, status) : undefined;
  if (parameters) headers.push(...challenges(error, status, parameters, request, config));
  if (error instanceof DpopError && error.nonce !== undefined) headers.push(["dpop-nonce", error.nonce]);
  if (behaviour.noStore) headers.push(["cache-control", "no-store"]);
  const { fields, retryAfter = status === 503 ? 1 : undefined } = error instanceof AccountError ? error : {};
  if (retryAfter !== undefined) headers.push(["retry-after", String(retryAfter)]);
  const message = { [errorMessageKey]: error.message, ...(fields && { fields }) };
  return { status, headers, body: behaviour.codeInBody ? { code: error.code, ...message } : message };
}

/** RFC 6750 §3.1: no error code where no token came; `invalid_token` for the rest of 401. */
function challengeOf(error: JwtError, status: number): Readonly<Record<string, string>> | undefined {
  if (error.challenge || error instanceof AccountError) return error.challenge;
  if (status === 400) return { error: "invalid_request" };
  if (status !== 401) return undefined;
  return error instanceof UnauthorizedError ? {} : { error: "invalid_token" };
}

/** One challenge for each scheme that would have been taken (RFC 9449 §7.1, §7.2): that of the token that came says what is wrong. */
function challenges(
  error: JwtError,
  status: number,
  parameters: Readonly<Record<string, string>>,
  request: JwtRequest,
  { dpop, tokenHeader, headerType }: ResolvedConfig,
): Array<readonly [string, string]> {
  const values = [challenge(headerType || "Bearer", parameters)];
  if (dpop) {
    const algs = dpop.algorithms.join(" ");
    const [sent = ""] = request.header(tokenHeader);
    if (dpop.required || error instanceof DpopError || /^dpop\s/i.test(sent))
      values[0] = challenge("DPoP", { ...parameters, algs });
    else if (status === 401) values.push(challenge("DPoP", { algs }));
  }
  return values.map((value) => ["www-authenticate", value]);
}

/** A loader may answer with a Web `Response`, too. */
function neutral(answer: Awaited<Loaded>): MaybePromise<JwtReply> {
  if (typeof Response === "function" && answer instanceof Response) return fromResponse(answer);
  if (typeof answer === "object" && answer !== null && Number.isInteger((answer as JwtReply).status)) {
    const reply = answer as JwtReply;
    return { ...reply, headers: reply.headers ?? [] };
  }
  return raise(
    new UsageError("reply_invalid", {
      message: "An error loader must return { status, headers, body } or a Response.",
    }),
  );
}

async function fromResponse(response: Response): Promise<JwtReply> {
  const body = new Uint8Array(await response.arrayBuffer());
  const reply = { status: response.status, headers: [...response.headers] };
  return body.length === 0 ? reply : { ...reply, body };
}
