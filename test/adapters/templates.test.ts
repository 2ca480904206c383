import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { Eta } from "eta";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { expressJwt } from "jwt-extended/express";
import { fastifyJwt } from "jwt-extended/fastify";
import { honoJwt } from "jwt-extended/hono";
import { koaJwt } from "jwt-extended/koa";
import Koa from "koa";
import { afterAll, describe, expect, it } from "vitest";
import { listen } from "../support/harness/tools.ts";
import { send } from "../support/http.ts";
import { bearer, managerOf } from "../support/serve.ts";

const TEMPLATE = "<% if (it.current_user) { %>Hello <%= it.current_user.name %><% } else { %>Hello stranger<% } %>";
const eta = new Eta();
const page = (data: object): string => eta.renderString(TEMPLATE, data);

const views = mkdtempSync(join(tmpdir(), "jwt-views-"));
writeFileSync(join(views, "hello.eta"), TEMPLATE);
afterAll(() => rmSync(views, { recursive: true }));

const jwt = managerOf({
  loaders: { userLookup: (_header: unknown, { sub }: { sub: string }) => ({ name: `<${sub}>` }) },
});
const optional = { optional: true } as const;

const applications: Record<string, (templates: boolean) => RequestListener | Promise<RequestListener>> = {
  express(templates) {
    const { jwtRequired } = expressJwt(jwt, { templates });
    const app = express().set("views", views).set("view engine", "eta");
    app.engine("eta", (_path, data, done) => done(null, page(data)));
    return app.get("/", jwtRequired(optional), (_req, res) => res.render("hello"));
  },
  async fastify(templates) {
    const { jwtRequired } = fastifyJwt(jwt, { templates });
    const app = fastify();
    app.get("/", jwtRequired(optional), async (_request, reply) =>
      page((reply as unknown as { locals?: object }).locals ?? {}),
    );
    await app.ready();
    return app.routing as unknown as RequestListener;
  },
  hono(templates) {
    const { jwtRequired } = honoJwt(jwt, { templates });
    const app = new Hono();
    app.get("/", jwtRequired(optional), (c) => c.html(page(c.var)));
    return getRequestListener(app.fetch);
  },
  koa(templates) {
    const { jwtRequired } = koaJwt(jwt, { templates });
    const app = new Koa().use(jwtRequired(optional)).use((ctx) => {
      ctx.body = page(ctx.state);
    });
    return app.callback();
  },
};

describe.each(Object.entries(applications))("templates: %s", (_, application) => {
  it("know the current user, by option", async () => {
    const token = await jwt.createAccessToken("ada");
    for (const [templates, greeting] of [
      [true, "Hello &lt;ada&gt;"],
      [false, "Hello stranger"],
    ] as const) {
      const server = await listen(createServer(await application(templates)));
      try {
        expect((await send(server.url, { headers: [bearer(token)] })).text).toBe(greeting);
        expect((await send(server.url)).text).toBe("Hello stranger");
      } finally {
        await server.close();
      }
    }
  });
});
