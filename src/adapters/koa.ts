import type { IncomingMessage, ServerResponse } from "node:http";
import type { JwtReply, Route } from "../http/types.ts";
import type { JWTManager } from "../manager.ts";
import type { AuthContext, GuardOptions } from "../types.ts";
import type { AdapterOptions, BoundGuard, Face, MaybeAuth, ProtectOptions, RequiredGuard, Verdict } from "./face.ts";
import { createFace, encodeReply, isListHeader } from "./face.ts";
import { routeFinder } from "./mount.ts";
import { NodeRequest } from "./node-request.ts";

/** Any Koa context. */
export interface KoaContext {
  readonly originalUrl: string;
  readonly headerSent: boolean;
  readonly req: object;
  readonly request: object;
}
type Next = () => Promise<unknown>;
type Middleware = (ctx: KoaContext, next: Next) => Promise<void>;

/** A middleware that refuses requests or passes them on with `ctx.state.auth`. */
export interface KoaGuard<Auth> {
  (ctx: KoaContext & { state: { auth: Auth } }, next: Next): Promise<void>;
  /** What this guard accepted for the request, typed by its options. */
  auth(ctx: KoaContext): Auth;
}

/** Builds guards; `auth` behind them follows from `optional`. */
export interface KoaJwtRequired<User, Claims> {
  (options?: RequiredGuard<User, Claims>): KoaGuard<AuthContext<User, Claims>>;
  (options: GuardOptions<User, Claims>): KoaGuard<MaybeAuth<User, Claims>>;
}

/** What `koaJwt` gives. Every function can be taken out of it. */
export interface KoaJwt<User, Claims> extends Face<KoaContext, KoaContext, void, void, User, Claims> {
  /** Guards a route: `router.get("/path", jwtRequired(), handler)`. */
  readonly jwtRequired: KoaJwtRequired<User, Claims>;
  /** Guards everything behind it but the paths in `public`: `app.use(protect({ public: ["POST /login"] }))`. */
  readonly protect: (options?: ProtectOptions<User, Claims>) => Middleware;
  /** Answers errors of this library that are thrown behind it; to be used first: `app.use(errorHandler())`. */
  readonly errorHandler: () => Middleware;
  /** Serves ready routes: `app.use(mount(routes, "/auth"))`. */
  readonly mount: (routes: readonly Route[], prefix?: string) => Middleware;
}

interface Ctx extends KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly request: { body?: unknown };
  readonly method: string;
  readonly url: string;
  state: Record<string, unknown>;
  status: number;
  body: unknown;
  set(name: string, value: string): void;
  append(name: string, value: string): void;
}

function append(native: KoaContext, headers: JwtReply["headers"]): void {
  const ctx = native as Ctx;
  if (headers.length === 0 || ctx.headerSent) return;
  for (const [name, value] of headers) {
    if (isListHeader(name)) ctx.append(name, value);
    else ctx.set(name, value);
  }
}

function send(native: KoaContext, reply: JwtReply): void {
  const ctx = native as Ctx;
  if (ctx.headerSent) return;
  const { headers, body } = encodeReply(reply);
  // `null` sets 204, so the status comes second; bytes keep the content type that the headers name.
  ctx.body = body === undefined ? null : Buffer.from(body as string);
  ctx.status = reply.status;
  append(ctx, headers);
}

/**
 * The functions of a manager for Koa 3 (and 2).
 *
 * @example
 * const { jwtRequired } = koaJwt(jwt);
 * router.get("/me", jwtRequired(), (ctx) => { ctx.body = { id: ctx.state.auth.identity }; });
 */
export function koaJwt<User, Claims, Identity>(
  manager: JWTManager<User, Claims, Identity>,
  options: AdapterOptions = {},
): KoaJwt<User, Claims> {
  const limit = manager.config.maxBodyBytes;
  const toRequest = (ctx: KoaContext): NodeRequest => new NodeRequest((ctx as Ctx).req, (ctx as Ctx).request, limit);
  const { face, tools } = createFace<KoaContext, KoaContext, void, void, User, Claims, Identity>(manager, {
    toRequest,
    send,
    append,
    requestOf: toRequest,
  });

  // Not `async`: where nothing has to be waited for, the promise of what follows is enough.
  const middleware = (bound: BoundGuard<KoaContext, User, Claims>): Middleware => {
    const settle = (ctx: Ctx, next: Next, verdict: Verdict<User, Claims>): Promise<void> => {
      // Never thrown: an error takes all headers, cookies among them, off a Koa answer.
      if (!verdict.ok) return Promise.resolve(send(ctx, verdict.reply));
      append(ctx, verdict.headers);
      if (verdict.auth) {
        ctx.state.auth = verdict.auth;
        if (options.templates) ctx.state.current_user = verdict.auth.user;
      }
      return tools.enter(ctx, next) as Promise<void>;
    };
    return (native, next) => {
      const ctx = native as Ctx;
      const verdict = bound.check(ctx);
      return verdict instanceof Promise ? verdict.then((late) => settle(ctx, next, late)) : settle(ctx, next, verdict);
    };
  };

  return {
    ...face,
    jwtRequired: ((guardOptions?: GuardOptions<User, Claims>) => {
      const bound = tools.guard(guardOptions);
      return Object.assign(middleware(bound), { auth: bound.auth });
    }) as KoaJwtRequired<User, Claims>,
    protect: (guardOptions) => middleware(tools.protect(guardOptions)),
    errorHandler: () => async (ctx, next) => {
      try {
        await next();
      } catch (error) {
        const reply = tools.errorReply(error, ctx);
        if (reply === undefined) throw error;
        send(ctx, await reply);
      }
    },
    mount(routes, prefix) {
      const find = routeFinder(routes, prefix);
      return async (native, next) => {
        const ctx = native as Ctx;
        const route = find(ctx.method, ctx.url);
        if (route === undefined) await next();
        else send(ctx, await tools.serve(route, ctx));
      };
    },
  };
}
