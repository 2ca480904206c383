import type { Context, ErrorHandler, MiddlewareHandler } from "hono";
import type { JwtReply, Route } from "../http/types.ts";
import type { JWTManager } from "../manager.ts";
import type { AuthContext, GuardOptions } from "../types.ts";
import type { AdapterOptions, BoundGuard, Face, MaybeAuth, ProtectOptions, RequiredGuard } from "./face.ts";
import { createFace, encodeReply, isListHeader, unlessSet } from "./face.ts";
import { routeFinder } from "./mount.ts";
import { vary, WebRequest } from "./web-request.ts";

/** A middleware that refuses requests or passes them on with `c.var.auth`. */
export type HonoGuard<Auth> = MiddlewareHandler<{ Variables: { auth: Auth } }> & {
  /** What this guard accepted for the request, typed by its options. */
  auth(c: Context): Auth;
};

/** Builds guards; `auth` behind them follows from `optional`. */
export interface HonoJwtRequired<User, Claims> {
  (options?: RequiredGuard<User, Claims>): HonoGuard<AuthContext<User, Claims>>;
  (options: GuardOptions<User, Claims>): HonoGuard<MaybeAuth<User, Claims>>;
}

/** What `honoJwt` gives. Every function can be taken out of it. */
export interface HonoJwt<User, Claims> extends Face<Context, Context, Response, void, User, Claims> {
  /** Guards a route: `app.get("/path", jwtRequired(), handler)`. */
  readonly jwtRequired: HonoJwtRequired<User, Claims>;
  /** Guards everything behind it but the paths in `public`: `app.use(protect({ public: ["POST /login"] }))`. */
  readonly protect: (options?: ProtectOptions<User, Claims>) => MiddlewareHandler;
  /** Answers errors of this library: `app.onError(errorHandler())`. All others go to `fallback`, or are answered as Hono does. */
  readonly errorHandler: (fallback?: ErrorHandler) => ErrorHandler;
  /** Serves ready routes: `app.use(mount(routes, "/auth"))`; the prefix is the full path. */
  readonly mount: (routes: readonly Route[], prefix?: string) => MiddlewareHandler;
}

function append(c: Context, headers: JwtReply["headers"]): void {
  for (const [name, value] of headers) c.header(name, value, { append: isListHeader(name) });
}

function send(c: Context, reply: JwtReply): Response {
  const { headers, body } = encodeReply(reply);
  // By `c.header`, as Hono lets cookies of an earlier middleware replace those of a bare Response.
  append(c, headers);
  return c.newResponse((body as string) ?? null, reply.status as 200);
}

class HonoRequest extends WebRequest {
  private readonly c: Context;

  constructor(c: Context, limit: number) {
    super(c.req.raw, limit);
    this.c = c;
  }

  /** As `@hono/node-server` tells. */
  override get address(): string | undefined {
    const env = this.c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
    return env?.incoming?.socket?.remoteAddress;
  }

  protected override kept(): Promise<unknown> | undefined {
    const kept = this.c.req.bodyCache;
    if (kept.formData !== undefined) return Promise.resolve(kept.formData);
    if (Object.keys(kept).length === 0) return undefined;
    return this.c.req.arrayBuffer().then((bytes) => new Uint8Array(bytes));
  }
}

/** What Hono does with an error that nobody handles. */
const honoDefault: ErrorHandler = (error, c) => {
  if ("getResponse" in error) {
    const response = error.getResponse();
    return c.newResponse(response.body, response);
  }
  console.error(error);
  return c.text("Internal Server Error", 500);
};

/**
 * The functions of a manager for Hono 4.
 *
 * @example
 * const { jwtRequired } = honoJwt(jwt);
 * app.get("/me", jwtRequired(), (c) => c.json({ id: c.var.auth.identity }));
 */
export function honoJwt<User, Claims, Identity>(
  manager: JWTManager<User, Claims, Identity>,
  options: AdapterOptions = {},
): HonoJwt<User, Claims> {
  const limit = manager.config.maxBodyBytes;
  const toRequest = (c: Context): HonoRequest => new HonoRequest(c, limit);
  const { face, tools } = createFace<Context, Context, Response, void, User, Claims, Identity>(manager, {
    toRequest,
    send,
    append,
    requestOf: toRequest,
  });

  const middleware =
    (bound: BoundGuard<Context, User, Claims>): MiddlewareHandler =>
    async (c, next) => {
      const checked = bound.check(c);
      const verdict = checked instanceof Promise ? await checked : checked;
      if (!verdict.ok) return send(c, verdict.reply);
      if (verdict.auth) {
        c.set("auth", verdict.auth);
        if (options.templates) c.set("current_user", verdict.auth.user);
      }
      await tools.enter(c, next);
      // Set before, they would be lost on handlers that return a Response of their own.
      const { headers } = verdict;
      if (headers.length > 0 && !vary(c.res, headers)) append(c, unlessSet(headers, c.res.headers.getSetCookie()));
    };

  return {
    ...face,
    jwtRequired: ((guardOptions?: GuardOptions<User, Claims>) => {
      const bound = tools.guard(guardOptions);
      return Object.assign(middleware(bound), { auth: bound.auth });
    }) as HonoJwtRequired<User, Claims>,
    protect: (guardOptions) => middleware(tools.protect(guardOptions)),
    errorHandler:
      (fallback = honoDefault) =>
      async (error, c) => {
        const reply = tools.errorReply(error, c);
        return reply === undefined ? fallback(error, c) : send(c, await reply);
      },
    mount(routes, prefix) {
      const find = routeFinder(routes, prefix);
      return async (c, next) => {
        const route = find(c.req.method, toRequest(c).url);
        if (route === undefined) return next();
        return send(c, await tools.serve(route, c));
      };
    },
  };
}
