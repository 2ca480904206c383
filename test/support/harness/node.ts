import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type NodeIncoming, nodeJwt } from "jwt-extended/node";
import { INTERNAL, lenientJson, listen, NOT_FOUND, protection, SENT, testTools } from "./tools.ts";
import type { Harness } from "./types.ts";

type Listener = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

function answerJson(res: ServerResponse, status: number, value: unknown): void {
  if (res.headersSent) return;
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify(value));
}

/** Bare Node has no parsers: a handler reads what no guard has read. */
async function bodyOf(req: NodeIncoming): Promise<unknown> {
  if (req.body !== undefined || req.readableEnded) return req.body;
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return lenientJson(Buffer.concat(chunks));
}

export const nodeHarness: Harness = {
  name: "node",
  start(manager, routes, options = {}) {
    const face = nodeJwt(manager);
    const table = new Map<string, Listener>();
    for (const route of routes) {
      const handler = async (req: NodeIncoming, res: ServerResponse): Promise<void> => {
        const { method = "", url = "" } = req;
        const body = (): Promise<unknown> => bodyOf(req);
        const answer = await route.handler(testTools(face, { request: req, response: res, method, url, body }));
        if (answer !== SENT) answerJson(res, answer.status ?? 200, answer.json);
      };
      const guarded = route.guard ? face.jwtRequired(route.guard as never, handler) : handler;
      for (const method of route.methods) table.set(`${method} ${options.prefix ?? ""}${route.path}`, guarded);
    }
    const ready = options.ready && face.mount(options.ready.routes, options.ready.prefix);
    const dispatch: Listener = async (req, res) => {
      if (await ready?.(req, res)) return;
      const path = (req.url ?? "").split("?")[0];
      const method = req.method === "HEAD" ? "GET" : req.method;
      const listener = table.get(`${method} ${path}`);
      if (listener === undefined) answerJson(res, 404, NOT_FOUND);
      else await listener(req, res);
    };
    const handler = options.protect ? face.protect(protection(options), dispatch) : dispatch;
    const answerError = face.errorHandler();
    const server = createServer((req, res) => {
      handler(req, res)
        .catch((error) => answerError(error, req, res))
        .catch(() => answerJson(res, 500, INTERNAL));
    });
    return listen(server);
  },
};
