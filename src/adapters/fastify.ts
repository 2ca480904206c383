import type { Route } from "../http/types.ts";
import type { JWTManager } from "../manager.ts";
import type { AuthContext, GuardOptions } from "../types.ts";
import type { AdapterOptions, BoundGuard, Face, MaybeAuth, ProtectOptions, RequiredGuard, Verdict } from "./face.ts";
import { createFace } from "./face.ts";
import type {
  Done,
  FastifyReplyLike,
  FastifyRequestLike,
  Hook,
  NativeReply,
  NativeRequest,
  Plugin,
} from "./fastify-native.ts";
import { append, forParent, leaveBodies, send } from "./fastify-native.ts";
import { NodeRequest } from "./node-request.ts";

export type { FastifyReplyLike, FastifyRequestLike };

/** Route options that guard a route; spread them where there are others. */
export interface FastifyGuard<Auth> {
  readonly onRequest?: Hook;
  readonly preValidation?: Hook;
  /** What this guard accepted for the request, typed by its options. Not enumerable. */
  auth(request: FastifyRequestLike): Auth;
}

/** Builds guards; `auth` behind them follows from `optional`. */
export interface FastifyJwtRequired<User, Claims> {
  (options?: RequiredGuard<User, Claims>): FastifyGuard<AuthContext<User, Claims>>;
  (options: GuardOptions<User, Claims>): FastifyGuard<MaybeAuth<User, Claims>>;
}

/** What `fastifyJwt` gives. Every function can be taken out of it. */
export interface FastifyJwt<User, Claims> extends Face<FastifyRequestLike, FastifyReplyLike, void, void, User, Claims> {
  /** Guards a route: `app.get("/path", jwtRequired(), handler)`, `app.get("/path", { ...jwtRequired(), schema }, handler)`. */
  readonly jwtRequired: FastifyJwtRequired<User, Claims>;
  /** A plugin, to be registered first, that guards all routes of its scope but those in `public` or with `config: { jwtPublic: true }`. */
  readonly protect: (options?: ProtectOptions<User, Claims>) => Plugin;
  /** For `app.setErrorHandler(errorHandler())`: answers errors of this library, throws all others on to the handler before it. */
  readonly errorHandler: () => (error: unknown, request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<void>;
  /** Sets `errorHandler()`: `app.register(plugin)`, once. */
  readonly plugin: Plugin;
  /** A plugin that serves ready routes: `app.register(mount(routes), { prefix: "/auth" })`. */
  readonly mount: (routes: readonly Route[], prefix?: string) => Plugin;
}

/**
 * The functions of a manager for Fastify 5. Tokens in JSON bodies need no more than Fastify; form fields (`csrfCheckForm`) need
 * `@fastify/formbody`, or `@fastify/multipart` with `attachFieldsToBody`.
 *
 * @example
 * const { jwtRequired, getAuth, plugin } = fastifyJwt(jwt);
 * app.register(plugin);
 * app.get("/me", jwtRequired(), async (request) => ({ id: getAuth(request).identity }));
 */
export function fastifyJwt<User, Claims, Identity>(
  manager: JWTManager<User, Claims, Identity>,
  options: AdapterOptions = {},
): FastifyJwt<User, Claims> {
  const limit = manager.config.maxBodyBytes;
  const toRequest = (request: FastifyRequestLike): NodeRequest =>
    new NodeRequest((request as NativeRequest).raw, request as NativeRequest, limit);
  const { face, tools } = createFace<FastifyRequestLike, FastifyReplyLike, void, void, User, Claims, Identity>(
    manager,
    {
      toRequest,
      send,
      append,
      requestOf: (reply) => toRequest((reply as NativeReply).request),
    },
  );

  type Bound = BoundGuard<FastifyRequestLike, User, Claims>;
  /** The hooks of a guard: early where the body is of no interest, else behind the parsers but before the validation may change a body. */
  const hooks = (
    bound: Bound,
    isPublic?: (request: NativeRequest) => boolean,
  ): { onRequest?: Hook; preValidation?: Hook } => {
    const settle = (
      request: NativeRequest,
      reply: NativeReply,
      done: Done,
      verdict: Verdict<User, Claims>,
    ): unknown => {
      try {
        if (!verdict.ok) return send(reply, verdict.reply);
        append(reply, verdict.headers);
      } catch (error) {
        return done(error as Error);
      }
      if (options.templates && verdict.auth) reply.locals = { ...reply.locals, current_user: verdict.auth.user };
      tools.enter(request, done);
    };
    const hook: Hook = (native, reply, done) => {
      const request = native as NativeRequest;
      if (isPublic?.(request)) return done();
      let verdict: ReturnType<typeof bound.check>;
      try {
        verdict = bound.check(request);
      } catch (error) {
        return done(error as Error);
      }
      if (!(verdict instanceof Promise)) return settle(request, reply as NativeReply, done, verdict);
      verdict.then((late) => settle(request, reply as NativeReply, done, late), done);
    };
    return bound.needsBody ? { preValidation: hook } : { onRequest: hook };
  };

  const errorHandler: FastifyJwt<User, Claims>["errorHandler"] = () => async (error, request, reply) => {
    const answer = tools.errorReply(error, request);
    if (answer === undefined) throw error;
    send(reply, await answer);
    return reply as never;
  };
  return {
    ...face,
    jwtRequired: ((guardOptions?: GuardOptions<User, Claims>) => {
      const bound = tools.guard(guardOptions);
      return Object.defineProperty(hooks(bound), "auth", { value: bound.auth });
    }) as FastifyJwtRequired<User, Claims>,
    protect: (guardOptions) => {
      const guard = hooks(tools.protect(guardOptions), (request) => request.routeOptions?.config?.jwtPublic === true);
      return forParent((instance, _, done) => {
        for (const [name, hook] of Object.entries(guard)) instance.addHook(name, hook);
        done();
      });
    },
    errorHandler,
    plugin: forParent((instance, _, done) => {
      instance.setErrorHandler(errorHandler());
      done();
    }),
    mount:
      (routes, prefix = "") =>
      (instance, _, done) => {
        leaveBodies(instance);
        for (const route of routes) {
          const handler = async (request: FastifyRequestLike, reply: FastifyReplyLike): Promise<unknown> => {
            send(reply, await tools.serve(route, request));
            return reply;
          };
          instance.route({ method: route.method, url: `${prefix}${route.path}`, handler });
        }
        done();
      },
  };
}
