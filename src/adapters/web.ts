import type { JwtReply, Route } from "../http/types.ts";
import { isThenable } from "../internal/thenable.ts";
import type { JWTManager, SendTokensOptions } from "../manager.ts";
import type { AuthContext, GuardOptions, MaybePromise, TokenPair } from "../types.ts";
import type { BoundGuard, Face, MaybeAuth, ProtectOptions, RequiredGuard } from "./face.ts";
import { createFace, encodeReply, isListHeader, unlessSet } from "./face.ts";
import { routeFinder } from "./mount.ts";
import { vary, WebRequest } from "./web-request.ts";

/** A handler that also gets what its guard accepted, before whatever else the framework hands on. */
export type WebHandler<Auth, Req, Rest extends unknown[]> = (
  request: Req,
  auth: Auth,
  ...rest: Rest
) => MaybePromise<Response>;

/** A guarded handler. It answers errors of this library; its promise rejects with all others. */
export interface WebGuard<Auth, Req, Rest extends unknown[]> {
  (request: Req, ...rest: Rest): Promise<Response>;
  /** What this guard accepted for the request, typed by its options. */
  auth(request: Request): Auth;
}

/** Builds guarded handlers; `auth` follows from `optional`. A CORS preflight is answered with 204: to allow other origins, answer it before the guard. */
export interface WebJwtRequired<User, Claims> {
  <Req extends Request = Request, Rest extends unknown[] = []>(
    handler: WebHandler<AuthContext<User, Claims>, Req, Rest>,
  ): WebGuard<AuthContext<User, Claims>, Req, Rest>;
  <Req extends Request = Request, Rest extends unknown[] = []>(
    options: RequiredGuard<User, Claims> | undefined,
    handler: WebHandler<AuthContext<User, Claims>, Req, Rest>,
  ): WebGuard<AuthContext<User, Claims>, Req, Rest>;
  <Req extends Request = Request, Rest extends unknown[] = []>(
    options: GuardOptions<User, Claims>,
    handler: WebHandler<MaybeAuth<User, Claims>, Req, Rest>,
  ): WebGuard<MaybeAuth<User, Claims>, Req, Rest>;
}

/** What `webJwt` gives. Every function can be taken out of it; the cookie functions return the response that carries the cookies. */
export interface WebJwt<User, Claims>
  extends Omit<Face<Request, Response, Response, Response, User, Claims>, "sendTokens"> {
  /** Guards a handler: `jwtRequired({ fresh: true }, (request, auth) => …)`. */
  readonly jwtRequired: WebJwtRequired<User, Claims>;
  /** Guards a whole server but the paths in `public`, for which `auth` is undefined. */
  readonly protect: <Req extends Request = Request, Rest extends unknown[] = []>(
    options: ProtectOptions<User, Claims> | undefined,
    handler: WebHandler<AuthContext<User, Claims> | undefined, Req, Rest>,
  ) => (request: Req, ...rest: Rest) => Promise<Response>;
  /**
   * The answer that carries a token pair: in cookies where `tokenLocation` begins with them, else as JSON; never cached.
   * Given the request, it puts nothing into the cookies of a visitor whom another site has sent.
   */
  readonly sendTokens: (
    tokens: TokenPair,
    options?: SendTokensOptions & { readonly request?: Request | undefined },
  ) => Promise<Response>;
  /** Answers errors of this library; the promise rejects with all others. */
  readonly errorHandler: () => (error: unknown, request: Request) => Promise<Response>;
  /** Serves ready routes; `undefined` means that the request is none of theirs. */
  readonly mount: (routes: readonly Route[], prefix?: string) => (request: Request) => Promise<Response | undefined>;
}

function toResponse(reply: JwtReply, request?: Request): Response {
  const { headers, body } = encodeReply(reply);
  const response = new Response(request?.method === "HEAD" ? null : ((body as string) ?? null), {
    status: reply.status,
  });
  response.headers.delete("content-type");
  for (const [name, value] of headers) add(response.headers, name, value);
  return response;
}

function add(headers: Headers, name: string, value: string): void {
  if (isListHeader(name)) headers.append(name, value);
  else headers.set(name, value);
}

/** The same response with more headers. A new one, as some responses (`Response.redirect`, those of `fetch`) cannot be changed. */
function withHeaders(response: Response, headers: JwtReply["headers"]): Response {
  if (headers.length === 0 || vary(response, headers)) return response;
  const copy = new Response(response.body, response);
  for (const [name, value] of headers) add(copy.headers, name, value);
  return copy;
}

/**
 * The functions of a manager for everything that speaks the Web `Request`: Next.js, Bun, Deno, Workers, SvelteKit.
 *
 * @example
 * const { jwtRequired } = webJwt(jwt);
 * export const GET = jwtRequired((request, auth) => Response.json({ id: auth.identity }));
 */
export function webJwt<User, Claims, Identity>(manager: JWTManager<User, Claims, Identity>): WebJwt<User, Claims> {
  type Handler = WebHandler<never, Request, never[]>;
  const limit = manager.config.maxBodyBytes;
  const { face, tools } = createFace<Request, Response, Response, Response, User, Claims, Identity>(manager, {
    toRequest: (request) => new WebRequest(request, limit),
    send: (_, reply) => toResponse(reply),
    append: withHeaders,
    requestOf: () => undefined,
  });

  const answer = async (error: unknown, request: Request): Promise<Response> => {
    const reply = tools.errorReply(error, request);
    if (reply === undefined) throw error;
    return toResponse(await reply, request);
  };
  const wrap =
    (bound: BoundGuard<Request, User, Claims>, handler: Handler, needsAuth: boolean) =>
    async (request: Request, ...rest: never[]): Promise<Response> => {
      try {
        const checked = bound.check(request);
        const verdict = checked instanceof Promise ? await checked : checked;
        if (!verdict.ok) return toResponse(verdict.reply, request);
        if (needsAuth && !verdict.auth && tools.preflightReply) return toResponse(tools.preflightReply, request);
        const handled = tools.enter(request, () => handler(request, verdict.auth as never, ...rest));
        const response = isThenable(handled) ? await handled : handled;
        const { headers } = verdict;
        return headers.length === 0
          ? response
          : withHeaders(response, unlessSet(headers, response.headers.getSetCookie()));
      } catch (error) {
        return answer(error, request);
      }
    };

  const jwtRequired = (first: GuardOptions<User, Claims> | Handler | undefined, second?: Handler): unknown => {
    const [guardOptions, handler] = typeof first === "function" ? [undefined, first] : [first, second as Handler];
    const bound = tools.guard(guardOptions);
    return Object.assign(wrap(bound, handler, true), { auth: bound.auth });
  };
  const protect = (guardOptions: ProtectOptions<User, Claims> | undefined, handler: Handler): unknown =>
    wrap(tools.protect(guardOptions), handler, false);
  return {
    ...face,
    jwtRequired: jwtRequired as WebJwtRequired<User, Claims>,
    protect: protect as WebJwt<User, Claims>["protect"],
    async sendTokens(tokens, { request, ...options } = {}) {
      return toResponse(await manager.tokensReply(tokens, options, request && new WebRequest(request, limit)));
    },
    errorHandler: () => answer,
    mount(routes, prefix) {
      const find = routeFinder(routes, prefix);
      return async (request) => {
        const route = find(request.method, new WebRequest(request, limit).url);
        return route && toResponse(await tools.serve(route, request), request);
      };
    },
  };
}
