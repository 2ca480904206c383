import { createServer } from "node:http";
import Router from "@koa/router";
import Koa, { type Middleware } from "koa";
import { koaJwt } from "../../src/adapters/koa.ts";
import { answer, type Build, COOKIE, EMPTY, OPEN, PROTECTED, peer, peerSecret, USER } from "./site.ts";

export const build: Build = async (site) => {
  const app = new Koa();
  const router = new Router();
  router.all(OPEN, (ctx) => {
    ctx.body = answer(USER);
  });
  if (site.isOurs) {
    const { jwtRequired, getAuth } = koaJwt(site.manager);
    const reply: Middleware = (ctx) => {
      ctx.body = answer(getAuth(ctx).identity);
    };
    router.all(PROTECTED, jwtRequired({ locations: "headers" }) as Middleware, reply);
    router.all(COOKIE, jwtRequired({ locations: "cookies" }) as Middleware, reply);
  } else if (site.variant === EMPTY) {
    const pass: Middleware = async (_, next) => {
      await next();
    };
    router.all(PROTECTED, pass, (ctx) => {
      ctx.body = answer(USER);
    });
  } else {
    const jwt = peer<(options: object) => Middleware>("koa-jwt");
    router.all(PROTECTED, jwt({ secret: peerSecret(site), algorithms: ["HS256"] }), (ctx) => {
      ctx.body = answer(ctx.state.user.sub);
    });
  }
  app.use(router.routes() as unknown as Middleware);
  return createServer(app.callback());
};
