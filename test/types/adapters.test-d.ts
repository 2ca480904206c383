// Compiled, never run, to the letter (`guards.test-d.ts` has the rest): what `auth`, `params` and `body` are behind each framework's guards.

import Router from "@koa/router";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import type { Anonymous, AuthContext, JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";
import { fastifyJwt } from "jwt-extended/fastify";
import { honoJwt } from "jwt-extended/hono";
import { koaJwt } from "jwt-extended/koa";
import { nodeJwt } from "jwt-extended/node";
import { webJwt } from "jwt-extended/web";
import Koa from "koa";
import type { Equal as Eq } from "./expect.ts";

const is = <T extends true>(..._: T[]): void => {};
interface U {
  id: number;
  name: string;
}
declare const jwt: JWTManager<U>;
type A = AuthContext<U>;
type M = AuthContext<U> | Anonymous;
declare const maybe: boolean;

{
  // express
  const { jwtRequired, getAuth, tryGetAuth, protect, errorHandler, sendTokens, setAccessCookies, mount } = expressJwt(
    jwt,
    { templates: true },
  );
  const app = express();
  const guard = jwtRequired();
  const opt = jwtRequired({ optional: true });
  const len = jwtRequired({ optional: "lenient" });
  const may = jwtRequired({ optional: maybe });
  app.use(protect({ public: ["/x"] }));
  app.use("/auth", mount([]));
  app.get("/users/:id", guard, (req, res) => {
    is<Eq<typeof req.params, { id: string }>>();
    // biome-ignore lint/suspicious/noExplicitAny: this is what Express says
    is<Eq<typeof req.body, any>>();
    is<Eq<ReturnType<typeof guard.auth>, A>>();
    const a = guard.auth(req);
    is<Eq<typeof a, A>>();
    const b = getAuth(req);
    is<Eq<typeof b, A>>();
    const c = opt.auth(req);
    is<Eq<typeof c, M>>();
    const d = len.auth(req);
    is<Eq<typeof d, M>>();
    const e = may.auth(req);
    is<Eq<typeof e, M>>();
    const f = tryGetAuth(req);
    is<Eq<typeof f, M>>();
    res.locals.x = 1;
    res.json({ u: a.user.name });
  });
  app.get("/users/:id", jwtRequired({ fresh: "5m", verify: (auth) => auth.user.id > 3 }), async (req, res) => {
    is<Eq<typeof req.params.id, string>>();
    await sendTokens(res, await jwt.createTokenPair("x"));
    const r = await setAccessCookies(res, "x");
    void r;
  });
  app.get<{ id: string }, { ok: boolean }, { a: 1 }, { q: string }>("/y/:id", jwtRequired(), (req, res) => {
    is<Eq<typeof req.body, { a: 1 }>>();
    res.json({ ok: true });
  });
  const r = express.Router({ mergeParams: true });
  r.post("/", jwtRequired(), (req, res) => {
    res.send(req.body.x);
  });
  app.use("/r", jwtRequired(), r);
  app.use(errorHandler());
}
{
  // fastify
  const { jwtRequired, getAuth, plugin, protect, errorHandler, sendTokens, mount } = fastifyJwt(jwt);
  const app = fastify();
  app.register(plugin);
  app.register(protect({ public: [] }));
  app.register(mount([]), { prefix: "/auth" });
  app.setErrorHandler(errorHandler());
  const guard = jwtRequired();
  app.get<{ Params: { id: string }; Querystring: { q: number } }>("/u/:id", guard, async (request, reply) => {
    is<Eq<typeof request.params, { id: string }>>();
    is<Eq<typeof request.query, { q: number }>>();
    const a = guard.auth(request);
    is<Eq<typeof a, A>>();
    const b = getAuth(request);
    is<Eq<typeof b, A>>();
    await sendTokens(reply, await jwt.createTokenPair("x"));
    return reply;
  });
  app.get("/v", { ...jwtRequired({ fresh: true }), schema: { querystring: { type: "object" } } }, async (request) => ({
    id: getAuth(request).identity,
  }));
  app.get("/w", { config: { jwtPublic: true } }, async () => 1);
  app.get("/w2", jwtRequired(), () => 1);
  app.route({ method: "GET", url: "/z", ...jwtRequired({ optional: true }), handler: async (request) => request.body });
  app.post<{ Body: { x: 1 }; Reply: { 200: { ok: boolean } } }>("/b", jwtRequired(), async (request) => {
    is<Eq<typeof request.body, { x: 1 }>>();
    return { ok: true };
  });
}
{
  // hono
  const { jwtRequired, protect, errorHandler, getAuth, sendTokens, mount } = honoJwt(jwt);
  const guard = jwtRequired();
  const app = new Hono();
  app.use(protect({ public: ["/x"] }));
  app.use(mount([], "/auth"));
  app.onError(errorHandler());
  const typed = app.get("/users/:id", guard, (c) => {
    is<Eq<typeof c.var.auth, A>>();
    const id = c.req.param("id");
    is<Eq<typeof id, string>>();
    const b = getAuth(c);
    is<Eq<typeof b, A>>();
    const g = guard.auth(c);
    is<Eq<typeof g, A>>();
    return c.json({ n: c.var.auth.user.name });
  });
  void typed;
  app.get("/o", jwtRequired({ optional: true }), (c) => {
    is<Eq<typeof c.var.auth, M>>();
    return c.text("x");
  });
  app.post("/login", async (c) => sendTokens(c, await jwt.createTokenPair("x")));
  type Env = { Bindings: { KV: string }; Variables: { other: number } };
  const app2 = new Hono<Env>();
  app2.use("*", jwtRequired());
  app2.get("/a/:b", jwtRequired(), (c) => {
    is<Eq<typeof c.var.other, number>>();
    is<Eq<typeof c.var.auth, A>>();
    is<Eq<typeof c.env.KV, string>>();
    c.req.param("b");
    return c.text(getAuth(c).identity);
  });
  app2.onError(errorHandler((e, c) => c.text(e.message)));
}
{
  // koa
  const { jwtRequired, protect, errorHandler, getAuth, sendTokens, mount } = koaJwt(jwt);
  const guard = jwtRequired();
  const app = new Koa();
  app.use(errorHandler());
  app.use(protect());
  app.use(mount([], "/auth"));
  const router = new Router();
  router.get("/users/:id", guard, (ctx) => {
    // As @koa/router types it: `Record<string, string>`.
    is<Eq<typeof ctx.params, Record<string, string>>>();
    const a = guard.auth(ctx);
    is<Eq<typeof a, A>>();
    const b = getAuth(ctx);
    is<Eq<typeof b, A>>();
    ctx.body = ctx.state.auth.identity;
    is<Eq<typeof ctx.state.auth, A>>();
  });
  router.post("/login", async (ctx) => {
    await sendTokens(ctx, await jwt.createTokenPair("x"));
  });
  router.get("/o", jwtRequired({ optional: true }), (ctx) => {
    is<Eq<typeof ctx.state.auth, M>>();
  });
  app.use(guard).use(async (ctx) => {
    ctx.body = 1;
  });
  interface S {
    lang: string;
  }
  const r2 = new Router<S>();
  r2.get("/x/:y", guard, (ctx) => {
    is<Eq<typeof ctx.state.lang, string>>();
    is<Eq<typeof ctx.state.auth, A>>();
  });
  const app2 = new Koa<S>();
  app2.use(guard).use((ctx) => {
    is<Eq<typeof ctx.state.auth, A>>();
    is<Eq<typeof ctx.state.lang, string>>();
  });
  app2.use(protect());
}
{
  // node, web
  const n = nodeJwt(jwt);
  const g = n.jwtRequired((req, res, auth) => {
    is<Eq<typeof auth, A>>();
    res.end(req.url);
    void req.body;
  });
  const go = n.jwtRequired({ optional: true }, (_req, _res, auth) => {
    is<Eq<typeof auth, M>>();
  });
  n.jwtRequired({ optional: maybe }, (_req, _res, auth) => {
    is<Eq<typeof auth, M>>();
  });
  n.jwtRequired({ fresh: true }, (_req, _res, auth) => {
    is<Eq<typeof auth, A>>();
  });
  n.protect({ public: [] }, (_req, _res, auth) => {
    is<Eq<typeof auth, A | undefined>>();
  });
  void g;
  void go;
  const w = webJwt(jwt);
  const h = w.jwtRequired((request, auth) => {
    is<Eq<typeof auth, A>>();
    is<Eq<typeof request, Request>>();
    return Response.json({});
  });
  const p: Promise<Response> = h(new Request("http://x"));
  void p;
  class NextRequest extends Request {
    get nextUrl() {
      return 1;
    }
  }
  const GET = w.jwtRequired(
    { fresh: true },
    (request: NextRequest, auth, context: { params: Promise<{ id: string }> }) => {
      is<Eq<typeof auth, A>>();
      void request.nextUrl;
      void context.params;
      return new Response();
    },
  );
  const x: (r: NextRequest, c: { params: Promise<{ id: string }> }) => Promise<Response> = GET;
  void x;
  w.jwtRequired({ optional: true }, async (_r, auth) => {
    is<Eq<typeof auth, M>>();
    return new Response();
  });
  w.protect(undefined, (_r, auth) => {
    is<Eq<typeof auth, A | undefined>>();
    return new Response();
  });
  w.sendTokens({} as never, { status: 201 });
}
