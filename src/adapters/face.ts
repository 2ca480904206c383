import { innermost, recall, remember, runAmbient } from "../context/state.ts";
import { isRefusal, raise, UnauthorizedError, UsageError } from "../errors.ts";
import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import type { CookieSettings, JWTManager, SendTokensOptions } from "../manager.ts";
import type { Anonymous, AuthContext, GuardOptions, MaybePromise, TokenPair } from "../types.ts";

/** What a framework must be able to do; everything else is built on it. */
export interface Adapter<Req extends object, Res, Sent, Kept> {
  toRequest(native: Req): JwtRequest;
  /** Sends a whole answer. */
  send(native: Res, reply: JwtReply): Sent;
  /** Adds header lines. Gives the response that carries them where that is another one, else nothing. */
  append(native: Res, headers: JwtReply["headers"]): Kept;
  /** The request a response belongs to, where the framework links them. */
  requestOf(native: Res): JwtRequest | undefined;
  /** Whether the framework changes the prototype of its requests, see `remember`. */
  readonly reshapes?: boolean;
}

/** What every adapter may be asked beside its manager. */
export interface AdapterOptions {
  /** Hands the current user to templates as `current_user`, where the framework keeps such values. Default `false`. */
  readonly templates?: boolean | undefined;
}

/** What `auth` is behind a guard that takes requests without a token, too. */
export type MaybeAuth<User, Claims> = AuthContext<User, Claims> | Anonymous;

/** Options of a guard under which a request without a token never passes. */
export type RequiredGuard<User, Claims> = GuardOptions<User, Claims> & { readonly optional?: false | undefined };

/** Options of `protect`: those of a guard, and the paths that need no token. */
export type ProtectOptions<User, Claims> = RequiredGuard<User, Claims> & {
  /** `"/path"`, `"GET /path"` or `"/dir/*"`, compared letter by letter with the raw path. Default: none. */
  readonly public?: readonly string[] | undefined;
};

/** `verifyRequest`: the guard by hand. It throws the refusal. */
export interface VerifyRequest<Req, User, Claims> {
  (request: Req, options?: RequiredGuard<User, Claims>): Promise<AuthContext<User, Claims>>;
  (request: Req, options: GuardOptions<User, Claims>): Promise<AuthContext<User, Claims> | Anonymous>;
}

/** The functions that every adapter offers beside its guards. */
export interface Face<Req extends object, Res, Sent, Kept, User, Claims> {
  /** Checks a request by hand: what `jwtRequired` does, as a promise. Throws the `JwtError` that refused it. */
  readonly verifyRequest: VerifyRequest<Req, User, Claims>;
  /** The thumbprint of the key that signed the DPoP proof of a request, which is spent; `undefined` where none came and none is required. */
  readonly verifyDpopProof: (request: Req) => Promise<string | undefined>;
  /** The token that a guard accepted for this request. Throws where there is none. */
  readonly getAuth: (request: Req) => AuthContext<User, Claims>;
  /** Like `getAuth`, and an `Anonymous` where the guard let a request without a token pass. Throws without a guard. */
  readonly tryGetAuth: (request: Req) => AuthContext<User, Claims> | Anonymous;
  /** Answers with a token pair: in cookies where `tokenLocation` begins with them, else as JSON (RFC 6749 §5.1); never cached. */
  readonly sendTokens: (response: Res, tokens: TokenPair, options?: SendTokensOptions) => Promise<Sent>;
  /** Puts an access token, and its CSRF value, into cookies. `maxAge` in seconds. */
  readonly setAccessCookies: (response: Res, token: string, settings?: CookieSettings) => Promise<Kept>;
  /** Puts a refresh token, and its CSRF value, into cookies. `maxAge` in seconds. */
  readonly setRefreshCookies: (response: Res, token: string, settings?: CookieSettings) => Promise<Kept>;
  /** Clears the access cookies. It revokes nothing. */
  readonly unsetAccessCookies: (response: Res, settings?: CookieSettings) => Promise<Kept>;
  /** Clears the refresh cookies. It revokes nothing. */
  readonly unsetRefreshCookies: (response: Res, settings?: CookieSettings) => Promise<Kept>;
  /** Clears all token and CSRF cookies. It revokes nothing: see `revokeSession`. */
  readonly unsetJwtCookies: (response: Res, settings?: CookieSettings) => Promise<Kept>;
}

/** What an adapter uses to build its guards. */
export interface FaceTools<Req extends object, User, Claims> {
  /** Compiles a guard once. Its `check` refuses with a reply, or passes and remembers the outcome for `getAuth`. */
  guard(options: GuardOptions<User, Claims> | undefined): BoundGuard<Req, User, Claims>;
  /** Compiles `protect`. */
  protect(options: ProtectOptions<User, Claims> | undefined): BoundGuard<Req, User, Claims>;
  /** Calls `next` where the ambient accessors see this request, if they are switched on. */
  enter<T>(request: Req, next: () => T): T;
  /** The answer to an error of this library; `undefined` for any other. */
  errorReply(error: unknown, request: Req): Promise<JwtReply> | undefined;
  /** For handlers that are given `auth`: what answers a CORS preflight, which has none; `undefined` where all OPTIONS requests pass. */
  readonly preflightReply: JwtReply | undefined;
  /** Answers a ready route; errors of this library become answers. */
  serve(route: Route, request: Req): Promise<JwtReply>;
}

/** A guard over native requests. */
export interface BoundGuard<Req, User = unknown, Claims = unknown> {
  /** Whether a body may have to be read, so that a framework can place the guard behind its parsers. */
  readonly needsBody: boolean;
  /** Whatever a function of the application throws in it comes out as an `Error`: frameworks take others for a pass. */
  check(request: Req): MaybePromise<Verdict<User, Claims>>;
  /** What `guard.auth(request)` gives: the outcome of the innermost guard, anonymous only if this guard allows that. */
  auth(request: Req): MaybeAuth<User, Claims>;
}

/** Passed, with headers to add to the answer (no `auth` for a CORS preflight or a public path); or refused, with the answer. */
export type Verdict<User = unknown, Claims = unknown> =
  | { readonly ok: true; readonly auth: MaybeAuth<User, Claims> | undefined; readonly headers: JwtReply["headers"] }
  | { readonly ok: false; readonly reply: JwtReply };

/** Whether a header may stand in several lines; any other is replaced when it is set again. */
export function isListHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === "set-cookie" || lower === "www-authenticate" || lower === "vary" || lower === "link";
}

/** The headers of a guard that are added after the handler's: what the handler said about a cookie stands. */
export function unlessSet(headers: JwtReply["headers"], cookies: readonly string[]): JwtReply["headers"] {
  if (headers.length === 0 || cookies.length === 0) return headers;
  const names = new Set(cookies.map(cookieName));
  return headers.filter(([name, value]) => name !== "set-cookie" || !names.has(cookieName(value)));
}

const cookieName = (line: string): string => line.slice(0, line.indexOf("="));

/** The bytes of an answer, and its headers with the content type of JSON unless they name another. */
export function encodeReply(reply: JwtReply): {
  readonly headers: JwtReply["headers"];
  readonly body: Uint8Array | string | undefined;
} {
  const { headers, body } = reply;
  if (body === undefined) return { headers, body };
  const named = headers.some(([name]) => name.toLowerCase() === "content-type");
  return {
    headers: named ? headers : [...headers, ["content-type", "application/json; charset=utf-8"]],
    body: body instanceof Uint8Array ? body : JSON.stringify(body),
  };
}

/** Frameworks read `next(undefined)` or `next("route")` as "go on": only an `Error` stops them all. */
function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error("A function of the application threw no Error", { cause: thrown });
}

/** Builds what all adapters share out of the functions of one of them. */
export function createFace<Req extends object, Res, Sent, Kept, User, Claims, Identity>(
  manager: JWTManager<User, Claims, Identity>,
  adapter: Adapter<Req, Res, Sent, Kept>,
): { face: Face<Req, Res, Sent, Kept, User, Claims>; tools: FaceTools<Req, User, Claims> } {
  type Auth = AuthContext<User, Claims>;
  const seen = new WeakMap<Req, JwtRequest>();
  const reshaped = adapter.reshapes === true;
  /** A proof is spent once for a request, however many guards that meets: so all of them are shown the same one. */
  const toRequest = (native: Req): JwtRequest => {
    if (!manager.config.dpop) return adapter.toRequest(native);
    const request = seen.get(native) ?? adapter.toRequest(native);
    seen.set(native, request);
    return request;
  };
  const bind = (
    guard: ReturnType<typeof manager.guard>,
    options: GuardOptions<User, Claims> | undefined,
  ): BoundGuard<Req, User, Claims> => {
    const settle = (request: Req, outcome: Awaited<ReturnType<typeof guard.check>>): Verdict<User, Claims> => {
      if (outcome.ok && outcome.auth) remember(request, manager, outcome.auth, reshaped);
      return outcome as Verdict<User, Claims>;
    };
    return {
      needsBody: guard.needsBody,
      check(request) {
        try {
          const outcome = guard.check(toRequest(request));
          if (!(outcome instanceof Promise)) return settle(request, outcome);
          return outcome.then(
            (late) => settle(request, late),
            (thrown) => Promise.reject(asError(thrown)),
          );
        } catch (thrown) {
          throw asError(thrown);
        }
      },
      auth: options?.optional ? tryGetAuth : getAuth,
    };
  };

  const tryGetAuth = (request: Req): Auth | Anonymous => {
    const auth = recall(request, manager);
    if (auth) return auth as Auth | Anonymous;
    return raise(
      new UsageError("no_auth_context", {
        message:
          "No guard of this manager ran for this request: put jwtRequired() or protect() in front of the route, or call verifyRequest() first.",
      }),
    );
  };
  const getAuth = (request: Req): Auth => {
    const auth = tryGetAuth(request);
    return auth.claims === null ? raise(new UnauthorizedError("token_missing")) : (auth as Auth);
  };

  const verifyRequest = async (request: Req, options: GuardOptions<User, Claims> = {}): Promise<Auth | Anonymous> => {
    const auth = await manager.verifyRequest(toRequest(request), options);
    remember(request, manager, auth, reshaped);
    return auth;
  };

  const face: Face<Req, Res, Sent, Kept, User, Claims> = {
    verifyRequest: verifyRequest as VerifyRequest<Req, User, Claims>,
    verifyDpopProof: async (request) => manager.verifyDpopProof(toRequest(request)),
    getAuth,
    tryGetAuth,
    sendTokens: async (response, tokens, options) =>
      adapter.send(response, await manager.tokensReply(tokens, options, adapter.requestOf(response))),
    setAccessCookies: async (response, token, settings) =>
      adapter.append(response, await manager.cookieHeaders("access", token, settings, adapter.requestOf(response))),
    setRefreshCookies: async (response, token, settings) =>
      adapter.append(response, await manager.cookieHeaders("refresh", token, settings, adapter.requestOf(response))),
    unsetAccessCookies: async (response, settings) =>
      adapter.append(response, await manager.unsetCookieHeaders(["access"], settings, adapter.requestOf(response))),
    unsetRefreshCookies: async (response, settings) =>
      adapter.append(response, await manager.unsetCookieHeaders(["refresh"], settings, adapter.requestOf(response))),
    unsetJwtCookies: async (response, settings) =>
      adapter.append(
        response,
        await manager.unsetCookieHeaders(["access", "refresh"], settings, adapter.requestOf(response)),
      ),
  };
  const errorReply = (error: unknown, request: Req): Promise<JwtReply> | undefined =>
    isRefusal(error) ? manager.replyTo(error, adapter.toRequest(request)) : undefined;
  const tools: FaceTools<Req, User, Claims> = {
    guard: (options) => bind(manager.guard(options), options),
    protect: (options) => bind(manager.protect(options), options),
    enter: (request, next) => (manager.config.ambientContext ? runAmbient(innermost(request), next) : next()),
    errorReply,
    preflightReply: manager.config.behaviour.preflightOnly ? { status: 204, headers: [] } : undefined,
    serve: async (route, request) => {
      try {
        return await route.handle(toRequest(request));
      } catch (thrown) {
        const reply = errorReply(thrown, request);
        if (reply === undefined) throw asError(thrown);
        return await reply;
      }
    },
  };
  return { face, tools };
}
