import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { SendTokensOptions, TokenPair } from "jwt-extended";
import { webJwt } from "jwt-extended/web";
import { INTERNAL, listen, NOT_FOUND, protection, SENT, testTools } from "./tools.ts";
import type { Harness } from "./types.ts";

type Fetch = (request: Request) => Promise<Response>;

export const webHarness: Harness = {
  name: "web",
  start(manager, routes, options = {}) {
    const face = webJwt(manager);
    const table = new Map<string, Fetch>();
    for (const route of routes) {
      const handler: Fetch = async (request) => {
        let carrier: Response = new Response();
        let sent: Response | undefined;
        // The cookie functions and `sendTokens` of this adapter return responses.
        const seen = {
          ...face,
          sendTokens: (_: unknown, tokens: TokenPair, options?: SendTokensOptions) =>
            face.sendTokens(tokens, { ...options, request }),
        };
        const tools = testTools(seen, {
          request,
          get response() {
            return carrier;
          },
          method: request.method,
          url: request.url,
          body: () => request.json().catch(() => undefined),
          replaced: (response) => {
            carrier = response as Response;
          },
          sent: (response) => {
            sent = response as Response;
          },
        });
        const answer = await route.handler(tools);
        if (answer === SENT && sent) return sent;
        const headers = new Headers(carrier.headers);
        headers.set("content-type", "application/json");
        return new Response(JSON.stringify(answer.json), { status: answer.status ?? 200, headers });
      };
      const guarded: Fetch = route.guard ? face.jwtRequired(route.guard as never, handler) : handler;
      for (const method of route.methods) table.set(`${method} ${options.prefix ?? ""}${route.path}`, guarded);
    }
    const ready = options.ready && face.mount(options.ready.routes, options.ready.prefix);
    const dispatch: Fetch = async (request) => {
      const served = await ready?.(request);
      if (served) return served;
      const method = request.method === "HEAD" ? "GET" : request.method;
      const guarded = table.get(`${method} ${new URL(request.url).pathname}`);
      if (guarded === undefined) return Response.json(NOT_FOUND, { status: 404 });
      return guarded(request);
    };
    const handler: Fetch = options.protect ? face.protect(protection(options), dispatch) : dispatch;
    const answerError = face.errorHandler();
    const listener = getRequestListener((request) =>
      handler(request)
        .catch((error) => answerError(error, request))
        .catch(() => Response.json(INTERNAL, { status: 500 })),
    );
    return listen(createServer(listener));
  },
};
