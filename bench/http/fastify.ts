import { fastify } from "fastify";
import { fastifyJwt } from "../../src/adapters/fastify.ts";
import { answer, type Build, COOKIE, EMPTY, OPEN, PROTECTED, peer, USER } from "./site.ts";

interface WithVerify {
  jwtVerify(): Promise<void>;
  readonly user: { readonly sub: string };
}

export const build: Build = async (site) => {
  const app = fastify();
  app.all(OPEN, async () => answer(USER));
  if (site.isOurs) {
    const { jwtRequired, getAuth, plugin } = fastifyJwt(site.manager);
    app.register(plugin);
    app.all(PROTECTED, jwtRequired({ locations: "headers" }), async (request) => answer(getAuth(request).identity));
    app.all(COOKIE, jwtRequired({ locations: "cookies" }), async (request) => answer(getAuth(request).identity));
  } else if (site.variant === EMPTY) {
    app.all(PROTECTED, { onRequest: (_request, _reply, done) => done() }, async () => answer(USER));
  } else {
    const verify = { algorithms: ["HS256"], cache: site.variant.includes("cache") };
    app.register(peer<() => void>("@fastify/jwt"), { secret: site.secret, verify } as object);
    const onRequest = (request: unknown): Promise<void> => (request as WithVerify).jwtVerify();
    app.all(PROTECTED, { onRequest }, async (request) => answer((request as unknown as WithVerify).user.sub));
  }
  await app.ready();
  return app.server;
};
