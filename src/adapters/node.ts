import type { IncomingMessage, ServerResponse } from "node:http";
import type { Route } from "../http/types.ts";
import { isThenable } from "../internal/thenable.ts";
import type { JWTManager } from "../manager.ts";
import type { AuthContext, GuardOptions } from "../types.ts";
import type { BoundGuard, Face, MaybeAuth, ProtectOptions, RequiredGuard, Verdict } from "./face.ts";
import { createFace } from "./face.ts";
import { routeFinder } from "./mount.ts";
import { appendNode, NodeRequest, sendNode } from "./node-request.ts";

/** A request of `node:http`; `body` is there once a guard has read it. */
export type NodeIncoming = IncomingMessage & { body?: unknown };

/** A handler that also gets what its guard accepted. */
export type NodeHandler<Auth> = (req: NodeIncoming, res: ServerResponse, auth: Auth) => unknown;

/** A guarded handler. It answers errors of this library; its promise rejects with all others, which the caller must handle. */
export interface NodeGuard<Auth> {
  (req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** What this guard accepted for the request, typed by its options. */
  auth(req: IncomingMessage): Auth;
}

/** Builds guarded handlers; `auth` follows from `optional`. A CORS preflight is answered with 204: to allow other origins, answer it before the guard. */
export interface NodeJwtRequired<User, Claims> {
  (handler: NodeHandler<AuthContext<User, Claims>>): NodeGuard<AuthContext<User, Claims>>;
  (
    options: RequiredGuard<User, Claims> | undefined,
    handler: NodeHandler<AuthContext<User, Claims>>,
  ): NodeGuard<AuthContext<User, Claims>>;
  (
    options: GuardOptions<User, Claims>,
    handler: NodeHandler<MaybeAuth<User, Claims>>,
  ): NodeGuard<MaybeAuth<User, Claims>>;
}

/** What `nodeJwt` gives. Every function can be taken out of it. */
export interface NodeJwt<User, Claims> extends Face<IncomingMessage, ServerResponse, void, void, User, Claims> {
  /** Guards a handler: `jwtRequired({ fresh: true }, (req, res, auth) => …)`. */
  readonly jwtRequired: NodeJwtRequired<User, Claims>;
  /** Guards a whole server but the paths in `public`, for which `auth` is undefined. */
  readonly protect: (
    options: ProtectOptions<User, Claims> | undefined,
    handler: NodeHandler<AuthContext<User, Claims> | undefined>,
  ) => (req: IncomingMessage, res: ServerResponse) => Promise<void>;
  /** Answers errors of this library; the promise rejects with all others. */
  readonly errorHandler: () => (error: unknown, req: IncomingMessage, res: ServerResponse) => Promise<void>;
  /** Serves ready routes: `if (!(await ready(req, res))) …`; `false` means that the request is none of theirs. */
  readonly mount: (
    routes: readonly Route[],
    prefix?: string,
  ) => (req: IncomingMessage, res: ServerResponse) => Promise<boolean>;
}

const nothing = (): void => {};
const DONE: Promise<void> = Promise.resolve();

/**
 * The functions of a manager for `node:http`, `https` and `http2`. `verifyRequest` takes the request of a WebSocket upgrade as well.
 *
 * @example
 * const { jwtRequired } = nodeJwt(jwt);
 * createServer(jwtRequired((req, res, auth) => res.end(auth.identity)));
 */
export function nodeJwt<User, Claims, Identity>(manager: JWTManager<User, Claims, Identity>): NodeJwt<User, Claims> {
  type Handler = NodeHandler<never>;
  const limit = manager.config.maxBodyBytes;
  const toRequest = (req: NodeIncoming & { originalUrl?: string }): NodeRequest => new NodeRequest(req, req, limit);
  const { face, tools } = createFace<IncomingMessage, ServerResponse, void, void, User, Claims, Identity>(manager, {
    toRequest,
    send: sendNode,
    append: appendNode,
    requestOf: (res) => toRequest(res.req),
  });

  const answer = async (error: unknown, req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const reply = tools.errorReply(error, req);
    if (reply === undefined) throw error;
    sendNode(res, await reply);
  };
  // Not `async`: a request that has to wait for nothing pays for no promise.
  const wrap = (bound: BoundGuard<IncomingMessage, User, Claims>, handler: Handler, needsAuth: boolean) => {
    const settle = (req: IncomingMessage, res: ServerResponse, verdict: Verdict<User, Claims>): unknown => {
      if (!verdict.ok) return sendNode(res, verdict.reply);
      if (needsAuth && !verdict.auth && tools.preflightReply) return sendNode(res, tools.preflightReply);
      appendNode(res, verdict.headers);
      return tools.enter(req, () => handler(req, res, verdict.auth as never));
    };
    const settleLater = (req: IncomingMessage, res: ServerResponse, late: PromiseLike<unknown>): Promise<void> =>
      Promise.resolve(late).then(nothing, (error: unknown) => answer(error, req, res));
    return (req: IncomingMessage, res: ServerResponse): Promise<void> => {
      try {
        const checked = bound.check(req);
        const handled =
          checked instanceof Promise ? checked.then((late) => settle(req, res, late)) : settle(req, res, checked);
        return isThenable(handled) ? settleLater(req, res, handled) : DONE;
      } catch (error) {
        return answer(error, req, res);
      }
    };
  };

  const jwtRequired = (first: GuardOptions<User, Claims> | Handler | undefined, second?: Handler): NodeGuard<never> => {
    const [guardOptions, handler] = typeof first === "function" ? [undefined, first] : [first, second as Handler];
    const bound = tools.guard(guardOptions);
    return Object.assign(wrap(bound, handler, true), { auth: bound.auth as () => never });
  };
  return {
    ...face,
    jwtRequired: jwtRequired as NodeJwtRequired<User, Claims>,
    protect: (guardOptions, handler) => wrap(tools.protect(guardOptions), handler as Handler, false),
    errorHandler: () => answer,
    mount(routes, prefix) {
      const find = routeFinder(routes, prefix);
      return async (req, res) => {
        const route = find(req.method ?? "GET", req.url ?? "/");
        if (route === undefined) return false;
        sendNode(res, await tools.serve(route, req));
        return true;
      };
    },
  };
}
