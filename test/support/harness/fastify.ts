import formbody from "@fastify/formbody";
import fastify, { type FastifyInstance } from "fastify";
import { fastifyJwt } from "jwt-extended/fastify";
import { INTERNAL, lenientJson, NOT_FOUND, protection, SENT, serverOf, testTools } from "./tools.ts";
import type { Harness } from "./types.ts";

/** JSON that swallows errors, forms, and everything else taken without a look. */
async function addParsers(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/([^\s/;]+\+)?json\b/i, { parseAs: "buffer" }, (_request, bytes, done) =>
    done(null, lenientJson(bytes as Buffer)),
  );
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, _bytes, done) => done(null, undefined));
  await app.register(formbody);
}

export const fastifyHarness: Harness = {
  name: "fastify",
  async start(manager, routes, options = {}) {
    const face = fastifyJwt(manager);
    const app = fastify({ onProtoPoisoning: "ignore", onConstructorPoisoning: "ignore", bodyLimit: 1 << 20 });
    app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
      if (error?.statusCode === 413) return reply.code(413).send({ error: "too_large" });
      return reply.code(500).send(INTERNAL);
    });
    app.setNotFoundHandler((_request, reply) => reply.code(404).send(NOT_FOUND));
    if (options.parsers !== false) await addParsers(app);
    else {
      app.removeAllContentTypeParsers();
      // Takes every body and leaves it where it is.
      app.addContentTypeParser("*", (_request, _payload, done) => done(null));
    }
    if (options.protect) await app.register(face.protect(protection(options)));
    if (options.ready) await app.register(face.mount(options.ready.routes, options.ready.prefix));
    await app.register(
      async (scope) => {
        await scope.register(face.plugin);
        for (const route of routes) {
          const guard = route.guard ? face.jwtRequired(route.guard as never) : {};
          // A route for GET serves HEAD by itself.
          const method = route.methods.filter((name) => name !== "HEAD" || !route.methods.includes("GET"));
          scope.route({
            method: method as "GET"[],
            url: route.path,
            ...guard,
            handler: async (request, reply) => {
              const { method, originalUrl: url } = request;
              const body = (): unknown => request.body;
              const tools = testTools(face, { request, response: reply, method, url, body });
              const answer = await route.handler(tools);
              if (answer === SENT) return reply;
              // Fastify sends a bare text as text.
              reply.code(answer.status ?? 200).type("application/json; charset=utf-8");
              return Buffer.from(JSON.stringify(answer.json));
            },
          });
        }
      },
      options.prefix ? { prefix: options.prefix } : {},
    );
    await app.listen({ host: "127.0.0.1", port: 0 });
    const server = serverOf(app.server);
    return {
      url: server.url,
      close: async () => {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  },
};
