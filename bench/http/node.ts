import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { nodeJwt } from "../../src/adapters/node.ts";
import { answer, type Build, COOKIE, OPEN, PROTECTED, type Site, USER } from "./site.ts";

type Handler = (req: IncomingMessage, res: ServerResponse) => unknown;

function send(res: ServerResponse, identity: unknown): void {
  const body = JSON.stringify(answer(identity));
  res.writeHead(200, { "content-type": "application/json", "content-length": body.length });
  res.end(body);
}

async function byHand({ variant, secret }: Site): Promise<Handler> {
  const { createVerifier } = await import("fast-jwt");
  const verify = createVerifier({
    key: secret,
    algorithms: ["HS256"],
    cache: variant.includes("cache"),
  }) as unknown as (token: string) => { sub: string };
  return (req, res) => send(res, verify((req.headers.authorization ?? "").slice("Bearer ".length)).sub);
}

export const build: Build = async (site) => {
  const { jwtRequired } = nodeJwt(site.manager);
  const routes = new Map<string | undefined, Handler>([[OPEN, (_, res) => send(res, USER)]]);
  if (site.isOurs) {
    routes.set(
      PROTECTED,
      jwtRequired({ locations: "headers" }, (_, res, auth) => send(res, auth.identity)),
    );
    routes.set(
      COOKIE,
      jwtRequired({ locations: "cookies" }, (_, res, auth) => send(res, auth.identity)),
    );
  } else {
    routes.set(PROTECTED, await byHand(site));
  }
  return createServer((req, res) => routes.get(req.url)?.(req, res));
};
