import { createServer } from "node:http";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import { expressJwt } from "jwt-extended/express";
import { INTERNAL, listen, NOT_FOUND, protection, SENT, testTools } from "./tools.ts";
import type { Harness } from "./types.ts";

/** The corpus wants a body that cannot be parsed to count as none, where Express would answer 400. */
const swallow: ErrorRequestHandler = (error, req, _res, next) => {
  if (error.type === "entity.too.large") return next(error);
  req.body = null;
  next();
};

const lastResort: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error);
  if (error?.type === "entity.too.large") return void res.status(413).json({ error: "too_large" });
  res.status(500).json(INTERNAL);
};

export const expressHarness: Harness = {
  name: "express",
  start(manager, routes, options = {}) {
    const face = expressJwt(manager);
    const app = express();
    app.disable("x-powered-by");
    if (options.parsers !== false) {
      app.use(express.json({ strict: false, type: ["application/json", "application/*+json"], limit: "1mb" }));
      app.use(express.urlencoded({ extended: false }), swallow);
    }
    if (options.protect) app.use(face.protect(protection(options)));
    if (options.ready) app.use(face.mount(options.ready.routes, options.ready.prefix));
    const router = express.Router();
    for (const route of routes) {
      const handler: RequestHandler = async (req, res) => {
        const { method, originalUrl: url } = req;
        const tools = testTools(face, { request: req, response: res, method, url, body: () => req.body });
        const answer = await route.handler(tools);
        if (answer !== SENT) res.status(answer.status ?? 200).json(answer.json);
      };
      const guards = route.guard ? [face.jwtRequired(route.guard as never)] : [];
      for (const method of route.methods) {
        const verb = method.toLowerCase() as "get";
        router[verb](route.path, ...guards, handler);
      }
    }
    app.use(options.prefix ?? "/", router);
    app.use((_req, res) => void res.status(404).json(NOT_FOUND));
    app.use(face.errorHandler(), lastResort);
    return listen(createServer(app));
  },
};
