import { createServer } from "node:http";
import { bodyParser } from "@koa/bodyparser";
import Router from "@koa/router";
import { koaJwt } from "jwt-extended/koa";
import Koa, { type Middleware } from "koa";
import { INTERNAL, isJson, lenientJson, listen, NOT_FOUND, protection, SENT, testTools } from "./tools.ts";
import type { Harness } from "./types.ts";

const lastResort: Middleware = async (ctx, next) => {
  try {
    await next();
    if (ctx.status === 404 && ctx.body == null) Object.assign(ctx, { status: 404, body: NOT_FOUND });
  } catch {
    ctx.status = 500;
    ctx.body = INTERNAL;
  }
};

/** `@koa/bodyparser` cannot be told to take JSON with a member `__proto__`: it reads the text, and this parses it. */
const parseJson: Middleware = async (ctx, next) => {
  const { body } = ctx.request;
  if (typeof body === "string" && isJson(ctx.get("content-type")))
    ctx.request.body = lenientJson(Buffer.from(body)) ?? null;
  await next();
};

export const koaHarness: Harness = {
  name: "koa",
  start(manager, routes, options = {}) {
    const face = koaJwt(manager);
    const app = new Koa();
    app.silent = true;
    app.use(lastResort);
    app.use(face.errorHandler());
    if (options.parsers !== false) {
      const onError = (_: Error, ctx: Koa.Context): void => {
        ctx.request.body = null;
      };
      const parsedMethods = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
      const extendTypes = { text: ["application/json", "application/*+json"] };
      app.use(bodyParser({ enableTypes: ["form", "text"], extendTypes, parsedMethods, onError }));
      app.use(parseJson);
    }
    if (options.protect) app.use(face.protect(protection(options)));
    if (options.ready) app.use(face.mount(options.ready.routes, options.ready.prefix));
    const router = new Router();
    for (const route of routes) {
      const handler: Middleware = async (ctx) => {
        const { method, originalUrl: url } = ctx;
        const body = (): unknown => ctx.request.body;
        const answer = await route.handler(testTools(face, { request: ctx, response: ctx, method, url, body }));
        if (answer === SENT) return;
        ctx.type = "application/json";
        ctx.body = JSON.stringify(answer.json);
        ctx.status = answer.status ?? 200;
      };
      const guards = route.guard ? [face.jwtRequired(route.guard as never)] : [];
      router.register(route.path, [...route.methods], [...guards, handler]);
    }
    const outer = new Router();
    if (options.prefix) outer.use(options.prefix, router.routes());
    app.use((options.prefix ? outer : router).routes());
    return listen(createServer(app.callback()));
  },
};
