import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { webJwt } from "../../src/adapters/web.ts";
import { subtleSecret } from "../peers.ts";
import { answer, type Build, COOKIE, OPEN, PROTECTED, type Site, USER } from "./site.ts";

type Handler = (request: Request) => Response | Promise<Response>;

async function byHand({ secret }: Site): Promise<Handler> {
  const { jwtVerify } = await import("jose");
  const key = await subtleSecret(secret, ["verify"]);
  return async (request) => {
    const token = (request.headers.get("authorization") ?? "").slice("Bearer ".length);
    const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"] });
    return Response.json(answer(payload.sub));
  };
}

export const build: Build = async (site) => {
  const { jwtRequired } = webJwt(site.manager);
  const routes = new Map<string, Handler>([[OPEN, () => Response.json(answer(USER))]]);
  if (site.isOurs) {
    routes.set(
      PROTECTED,
      jwtRequired({ locations: "headers" }, (_, auth) => Response.json(answer(auth.identity))),
    );
    routes.set(
      COOKIE,
      jwtRequired({ locations: "cookies" }, (_, auth) => Response.json(answer(auth.identity))),
    );
  } else {
    routes.set(PROTECTED, await byHand(site));
  }
  const fetch = (request: Request): Response | Promise<Response> => {
    const path = request.url.slice(request.url.indexOf("/", "http://".length));
    return routes.get(path)?.(request) ?? new Response(null, { status: 404 });
  };
  return createServer(getRequestListener(fetch));
};
