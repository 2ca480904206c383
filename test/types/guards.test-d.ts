// What guards make of their options, and that they leave the types of each framework as they are.

import Router from "@koa/router";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { type Anonymous, type AnyClaims, type AuthContext, JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";
import { fastifyJwt } from "jwt-extended/fastify";
import { honoJwt } from "jwt-extended/hono";
import { koaJwt } from "jwt-extended/koa";
import { nodeJwt } from "jwt-extended/node";
import { webJwt } from "jwt-extended/web";
import Koa from "koa";
import { expectType } from "./expect.ts";

declare const secretKey: string;
declare const sometimes: boolean;
const jwt = new JWTManager({ secretKey, loaders: { userLookup: () => ({ id: 1 }) } });
type Known = AuthContext<{ id: number }, AnyClaims>;

// --- Express
{
  const { jwtRequired, getAuth, protect, errorHandler } = expressJwt(jwt);
  const app = express();
  app.get("/users/:id", jwtRequired(), (req, res) => {
    expectType<string>(req.params.id);
    // @ts-expect-error no such parameter
    req.params.name;
    expectType<Known>(getAuth(req));
    res.json({});
  });
  const required = jwtRequired();
  const fresh = jwtRequired({ fresh: true });
  const refused = jwtRequired({ optional: false });
  const optional = jwtRequired({ optional: true });
  const lenient = jwtRequired({ optional: "lenient" });
  const variable = jwtRequired({ optional: sometimes });
  app.get("/", required, fresh, refused, optional, lenient, variable, (req) => {
    expectType<Known>(required.auth(req));
    expectType<Known>(fresh.auth(req));
    expectType<Known>(refused.auth(req));
    expectType<Known | Anonymous>(optional.auth(req));
    // @ts-expect-error nobody may be there
    optional.auth(req).user.id;
    // @ts-expect-error nobody may be there
    lenient.auth(req).user.id;
    // @ts-expect-error nobody may be there
    variable.auth(req).user.id;
  });
  // @ts-expect-error an option that does not exist
  jwtRequired({ frsh: true });
  // @ts-expect-error not a location
  jwtRequired({ locations: ["body"] });
  // @ts-expect-error a whole application is never optional
  protect({ optional: true });
  jwtRequired({ verify: (auth) => auth.user.id === 1 });
  app.use(protect({ public: ["POST /login"] }), errorHandler());
  express.Router().use(jwtRequired());
}

// --- Fastify
{
  const { jwtRequired, getAuth, plugin, protect } = fastifyJwt(jwt);
  const app = fastify();
  app.register(plugin);
  app.register(protect({ public: ["GET /health"] }));
  app.get<{ Params: { id: string } }>("/users/:id", jwtRequired(), async (request) => {
    expectType<string>(request.params.id);
    expectType<Known>(getAuth(request));
    return {};
  });
  const optional = jwtRequired({ optional: true });
  app.get("/maybe", optional, async (request) => {
    expectType<Known | Anonymous>(optional.auth(request));
    // @ts-expect-error nobody may be there
    optional.auth(request).user.id;
  });
}

// --- Hono
{
  const { jwtRequired } = honoJwt(jwt);
  const app = new Hono();
  app.get("/users/:id", jwtRequired(), (c) => {
    expectType<string>(c.req.param("id"));
    expectType<Known>(c.var.auth);
    return c.json({ id: c.var.auth.user.id });
  });
  app.get("/maybe", jwtRequired({ optional: true }), (c) => {
    // @ts-expect-error nobody may be there
    c.var.auth.user.id;
    return c.json({ who: c.var.auth.identity });
  });
}

// --- Koa
{
  const { jwtRequired, getAuth, errorHandler } = koaJwt(jwt);
  const app = new Koa();
  const router = new Router();
  app.use(errorHandler());
  router.get("/users/:id", jwtRequired(), (ctx) => {
    ctx.body = { id: getAuth(ctx).user.id, path: ctx.params.id };
  });
}

// --- Node and Web
{
  const { jwtRequired } = nodeJwt(jwt);
  jwtRequired({ fresh: "5m" }, (_req, res, auth) => {
    expectType<Known>(auth);
    res.end();
  });
  jwtRequired({ optional: sometimes }, (_req, _res, auth) => {
    // @ts-expect-error nobody may be there
    auth.user.id;
  });
  const web = webJwt(jwt);
  web.jwtRequired((_request, auth) => Response.json({ id: auth.user.id }));
  web.jwtRequired({ optional: "lenient" }, (_request, auth, context: { params: { id: string } }) => {
    expectType<Known | Anonymous>(auth);
    return Response.json({ id: context.params.id });
  });
}
