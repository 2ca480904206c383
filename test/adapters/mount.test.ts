import { createServer, type RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import Router from "@koa/router";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { type Route, UnauthorizedError } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";
import { fastifyJwt } from "jwt-extended/fastify";
import { honoJwt } from "jwt-extended/hono";
import { koaJwt } from "jwt-extended/koa";
import { nodeJwt } from "jwt-extended/node";
import { webJwt } from "jwt-extended/web";
import Koa from "koa";
import { describe, expect, it } from "vitest";
import { listen } from "../support/harness/tools.ts";
import { send } from "../support/http.ts";
import { JSON_TYPE, managerOf } from "../support/serve.ts";

const routes: readonly Route[] = [
  {
    method: "GET",
    path: "/keys",
    handle: (request) => ({ status: 200, headers: [["X-Url", request.url]], body: [1] }),
  },
  {
    method: "POST",
    path: "/refresh",
    handle: async (request) => {
      const body = await request.body();
      const headers = [
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ] as const;
      return { status: 201, headers, body: body.kind === "json" ? body.value : body };
    },
  },
  { method: "DELETE", path: "/sessions/:id", handle: () => ({ status: 204, headers: [] }) },
  {
    method: "GET",
    path: "/refused",
    handle: () => {
      throw new UnauthorizedError("token_missing");
    },
  },
];

const jwt = managerOf();
const NOT_FOUND = { error: "not_found" };

/** The ready routes under `/auth`, and one route of the application, in every framework. */
const applications: Record<string, () => RequestListener | Promise<RequestListener>> = {
  express() {
    const app = express().disable("x-powered-by");
    app.use("/auth", expressJwt(jwt).mount(routes));
    app.get("/own", (_req, res) => void res.send("own"));
    return app.use((_req, res) => void res.status(404).json(NOT_FOUND));
  },
  "express with a prefix"() {
    const app = express();
    app.use(express.json(), expressJwt(jwt).mount(routes, "/auth"));
    return app.get("/own", (_req, res) => void res.send("own"));
  },
  async fastify() {
    const app = fastify();
    app.register(fastifyJwt(jwt).mount(routes), { prefix: "/auth" });
    app.get("/own", async () => "own");
    await app.ready();
    return app.routing as unknown as RequestListener;
  },
  async "fastify with a prefix"() {
    const app = fastify();
    app.register(fastifyJwt(jwt).mount(routes, "/auth"));
    app.get("/own", async () => "own");
    await app.ready();
    return app.routing as unknown as RequestListener;
  },
  hono() {
    const app = new Hono();
    app.use(honoJwt(jwt).mount(routes, "/auth"));
    app.get("/own", (c) => c.text("own"));
    return getRequestListener(app.fetch);
  },
  koa() {
    const app = new Koa();
    const router = new Router().get("/own", (ctx) => {
      ctx.body = "own";
    });
    app.use(koaJwt(jwt).mount(routes, "/auth")).use(router.routes());
    return app.callback();
  },
  node() {
    const ready = nodeJwt(jwt).mount(routes, "/auth");
    return async (req, res) => {
      if (await ready(req, res)) return;
      res.statusCode = req.url === "/own" ? 200 : 404;
      res.end("own");
    };
  },
  web() {
    const ready = webJwt(jwt).mount(routes, "/auth");
    return getRequestListener(async (request) => {
      const own = new URL(request.url).pathname === "/own";
      return (await ready(request)) ?? new Response("own", { status: own ? 200 : 404 });
    });
  },
};

describe.each(Object.entries(applications))("mount: %s", (_, application) => {
  it("serves ready routes beside the application's own", async () => {
    const server = await listen(createServer(await application()));
    try {
      const ask = (method: string, path: string, body?: string) =>
        send(server.url, { method, path, body, headers: body === undefined ? [] : [JSON_TYPE] });
      const keys = await ask("GET", "/auth/keys?a=%2f");
      expect([keys.status, keys.json(), keys.header("x-url")]).toEqual([200, [1], ["/auth/keys?a=%2f"]]);
      expect(keys.header("content-type")).toEqual(["application/json; charset=utf-8"]);
      const head = await ask("HEAD", "/auth/keys");
      expect([head.status, head.text]).toEqual([200, ""]);
      const posted = await ask("POST", "/auth/refresh", '{"t":1}');
      expect([posted.status, posted.json(), posted.setCookies]).toEqual([201, { t: 1 }, ["a=1", "b=2"]]);
      const gone = await ask("DELETE", "/auth/sessions/s1");
      expect([gone.status, gone.text]).toEqual([204, ""]);
      const refused = await ask("GET", "/auth/refused");
      expect([refused.status, refused.json()]).toMatchObject([401, { code: "token_missing" }]);
      expect((await ask("GET", "/own")).text).toBe("own");
      for (const [method, path] of [
        ["GET", "/keys"],
        ["GET", "/auth/refresh"],
        ["POST", "/auth/keys"],
        ["DELETE", "/auth/sessions/a/b"],
        ["GET", "/auth"],
      ] as const) {
        expect([method, path, (await ask(method, path)).status]).toEqual([method, path, 404]);
      }
    } finally {
      await server.close();
    }
  });
});
