import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { honoJwt } from "../../src/adapters/hono.ts";
import { subtleSecret } from "../peers.ts";
import { answer, type Build, COOKIE, EMPTY, OPEN, PROTECTED, USER } from "./site.ts";

export const build: Build = async (site) => {
  const app = new Hono();
  app.all(OPEN, (c) => c.json(answer(USER)));
  if (site.isOurs) {
    const { jwtRequired } = honoJwt(site.manager);
    app.all(PROTECTED, jwtRequired({ locations: "headers" }), (c) => c.json(answer(c.get("auth").identity)));
    app.all(COOKIE, jwtRequired({ locations: "cookies" }), (c) => c.json(answer(c.get("auth").identity)));
  } else if (site.variant === EMPTY) {
    const pass: MiddlewareHandler = async (_, next) => {
      await next();
    };
    app.all(PROTECTED, pass, (c) => c.json(answer(USER)));
  } else {
    const { jwt } = await import("hono/jwt");
    const secret = site.variant.includes("CryptoKey") ? await subtleSecret(site.secret, ["verify"]) : site.secret;
    app.all(PROTECTED, jwt({ secret: secret as string, alg: "HS256" }), (c) =>
      c.json(answer((c.get("jwtPayload") as { sub: string }).sub)),
    );
  }
  return createServer(getRequestListener(app.fetch));
};
