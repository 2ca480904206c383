import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { honoJwt } from "jwt-extended/hono";
import { INTERNAL, NOT_FOUND, protection, SENT, serverOf, testTools } from "./tools.ts";
import type { Harness } from "./types.ts";

export const honoHarness: Harness = {
  name: "hono",
  start(manager, routes, options = {}) {
    const face = honoJwt(manager);
    const app = new Hono();
    app.onError(face.errorHandler((_error, c) => c.json(INTERNAL, 500)));
    app.notFound((c) => c.json(NOT_FOUND, 404));
    if (options.protect) app.use(face.protect(protection(options)));
    if (options.ready) app.use(face.mount(options.ready.routes, options.ready.prefix));
    const router = options.prefix ? new Hono() : app;
    for (const route of routes) {
      const handler = async (c: Context): Promise<Response> => {
        let sent: Response | undefined;
        const tools = testTools(face, {
          request: c,
          response: c,
          method: c.req.method,
          url: c.req.url,
          body: () => c.req.json().catch(() => undefined),
          sent: (response) => {
            sent = response as Response;
          },
        });
        const answer = await route.handler(tools);
        if (answer === SENT && sent) return sent;
        c.header("content-type", "application/json");
        return c.body(JSON.stringify(answer.json), (answer.status ?? 200) as 200);
      };
      const methods = route.methods.filter((name) => name !== "HEAD");
      if (route.guard) router.on(methods, [route.path], face.jwtRequired(route.guard as never), handler);
      else router.on(methods, [route.path], handler);
    }
    if (options.prefix) app.route(options.prefix, router);
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () =>
        resolve(serverOf(server as Server)),
      );
    });
  },
};
