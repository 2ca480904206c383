import type { IncomingMessage, ServerResponse } from "node:http";
import type { Route } from "../http/types.ts";
import type { JWTManager } from "../manager.ts";
import type { AuthContext, GuardOptions } from "../types.ts";
import type { AdapterOptions, BoundGuard, Face, MaybeAuth, ProtectOptions, RequiredGuard, Verdict } from "./face.ts";
import { createFace } from "./face.ts";
import { routeFinder } from "./mount.ts";
import { appendNode, NodeRequest, sendNode } from "./node-request.ts";

// Only what is needed to recognize Express's objects: were `body` or `locals` named here, Express would infer their types from the guard.
/** Any Express request. */
export interface ExpressRequest {
  readonly originalUrl: string;
  readonly rawHeaders: readonly string[];
}
/** Any Express response. */
export interface ExpressResponse {
  readonly headersSent: boolean;
  statusCode: number;
}
type Next = (error?: unknown) => void;
type Middleware = (req: ExpressRequest, res: ExpressResponse, next: Next) => void;

/** A middleware that refuses requests or passes them on, and knows what it let through. */
export interface ExpressGuard<Auth> {
  (req: ExpressRequest, res: ExpressResponse, next: Next): void;
  /** What this guard accepted for the request, typed by its options. */
  auth(req: ExpressRequest): Auth;
}

/** Builds guards; `auth` behind them follows from `optional`. */
export interface ExpressJwtRequired<User, Claims> {
  (options?: RequiredGuard<User, Claims>): ExpressGuard<AuthContext<User, Claims>>;
  (options: GuardOptions<User, Claims>): ExpressGuard<MaybeAuth<User, Claims>>;
}

/** What `expressJwt` gives. Every function can be taken out of it. */
export interface ExpressJwt<User, Claims> extends Face<ExpressRequest, ExpressResponse, void, void, User, Claims> {
  /** Guards a route: `app.get("/path", jwtRequired(), handler)`. */
  readonly jwtRequired: ExpressJwtRequired<User, Claims>;
  /** Guards everything behind it but the paths in `public`: `app.use(protect({ public: ["POST /login"] }))`. */
  readonly protect: (options?: ProtectOptions<User, Claims>) => Middleware;
  /** Answers errors of this library that handlers threw; to be used last: `app.use(errorHandler())`. */
  readonly errorHandler: () => (error: unknown, req: ExpressRequest, res: ExpressResponse, next: Next) => void;
  /** Serves ready routes: `app.use("/auth", mount(routes))` or `app.use(mount(routes, "/auth"))`. */
  readonly mount: (routes: readonly Route[], prefix?: string) => Middleware;
}

type Req = ExpressRequest & IncomingMessage & { body?: unknown };
type Res = ExpressResponse & ServerResponse & { locals: Record<string, unknown>; req: Req };

/**
 * The functions of a manager for Express 5 (and 4.18).
 *
 * @example
 * const { jwtRequired, getAuth } = expressJwt(jwt);
 * app.get("/me", jwtRequired(), (req, res) => res.json({ id: getAuth(req).identity }));
 */
export function expressJwt<User, Claims, Identity>(
  manager: JWTManager<User, Claims, Identity>,
  options: AdapterOptions = {},
): ExpressJwt<User, Claims> {
  const limit = manager.config.maxBodyBytes;
  const toRequest = (req: ExpressRequest): NodeRequest => new NodeRequest(req as Req, req as Req, limit);
  const { face, tools } = createFace<ExpressRequest, ExpressResponse, void, void, User, Claims, Identity>(manager, {
    toRequest,
    send: (res, reply) => sendNode(res as Res, reply),
    append: (res, headers) => appendNode(res as Res, headers),
    requestOf: (res) => toRequest((res as Res).req),
    reshapes: true,
  });

  const middleware = (bound: BoundGuard<ExpressRequest, User, Claims>): Middleware => {
    const settle = (req: ExpressRequest, res: Res, next: Next, verdict: Verdict<User, Claims>): unknown => {
      try {
        if (!verdict.ok) return sendNode(res, verdict.reply);
        appendNode(res, verdict.headers);
      } catch (error) {
        return next(error);
      }
      if (options.templates && verdict.auth) res.locals.current_user = verdict.auth.user;
      tools.enter(req, next);
    };
    return (req, res, next) => {
      let verdict: ReturnType<typeof bound.check>;
      try {
        verdict = bound.check(req);
      } catch (error) {
        return next(error);
      }
      if (!(verdict instanceof Promise)) return settle(req, res as Res, next, verdict);
      verdict.then((late) => settle(req, res as Res, next, late), next);
    };
  };

  return {
    ...face,
    jwtRequired: ((guardOptions?: GuardOptions<User, Claims>) => {
      const bound = tools.guard(guardOptions);
      return Object.assign(middleware(bound), { auth: bound.auth });
    }) as ExpressJwtRequired<User, Claims>,
    protect: (guardOptions) => middleware(tools.protect(guardOptions)),
    errorHandler: () => (error, req, res, next) => {
      const reply = res.headersSent ? undefined : tools.errorReply(error, req);
      if (reply === undefined) next(error);
      else reply.then((late) => sendNode(res as Res, late)).catch(next);
    },
    mount(routes, prefix) {
      const find = routeFinder(routes, prefix);
      return (req, res, next) => {
        // Inside `app.use("/path", …)` Express has cut the path off `url`.
        const route = find((req as Req).method ?? "GET", (req as Req).url ?? "/");
        if (route === undefined) next();
        else
          tools
            .serve(route, req)
            .then((reply) => sendNode(res as Res, reply))
            .catch(next);
      };
    },
  };
}
