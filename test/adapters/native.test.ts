import { createServer, get as httpGet, type IncomingMessage, type RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { bodyParser } from "@koa/bodyparser";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { expressJwt } from "jwt-extended/express";
import { fastifyJwt } from "jwt-extended/fastify";
import { honoJwt } from "jwt-extended/hono";
import { koaJwt } from "jwt-extended/koa";
import { nodeJwt } from "jwt-extended/node";
import { webJwt } from "jwt-extended/web";
import Koa from "koa";
import { describe, expect, it } from "vitest";
import { listen } from "../support/harness/tools.ts";
import { type Answer, type SendOptions, send } from "../support/http.ts";
import { bearer, JSON_TYPE, managerOf } from "../support/serve.ts";

const jwt = managerOf();
const cookies = managerOf({ tokenLocation: ["cookies"] });
const cookieToken = await cookies.createAccessToken("ada");
const token = await jwt.createAccessToken("ada");
const body = JSON.stringify({ access_token: token });
const inBody = { locations: ["json"] } as const;
const post = { method: "POST", body, headers: [JSON_TYPE] } as const;

async function asking(listener: RequestListener, use: (ask: (o?: SendOptions) => Promise<Answer>) => Promise<void>) {
  const server = await listen(createServer(listener));
  try {
    await use((options) => send(server.url, options));
  } finally {
    await server.close();
  }
}

describe("express alone", () => {
  const { jwtRequired, getAuth } = expressJwt(jwt);
  const { setAccessCookies } = expressJwt(cookies);

  it("goes on in the same tick", () => {
    const order: string[] = [];
    const req = { originalUrl: "/", method: "GET", rawHeaders: bearer(token) } as unknown as express.Request;
    jwtRequired()(req, { headersSent: false, statusCode: 200 }, () => order.push("next"));
    order.push("after");
    expect(order).toEqual(["next", "after"]);
    expect(getAuth(req).identity).toBe("ada");
  });

  it("leaves a body it has read to a parser that comes later", async () => {
    const app = express();
    app.post("/", jwtRequired(inBody), express.json(), express.urlencoded(), (req, res) => void res.json(req.body));
    await asking(app, async (ask) => expect((await ask(post)).json()).toEqual({ access_token: token }));
  });

  it("counts a body that something else has consumed as no token", async () => {
    const app = express();
    app.use(async (req, _res, next) => {
      for await (const _ of req);
      next();
    });
    app.post("/", jwtRequired(inBody), (_req, res) => void res.json("in"));
    await asking(app, async (ask) => expect((await ask(post)).status).toBe(401));
  });

  it("leaves bodies it does not understand to others", async () => {
    const app = express();
    app.post("/", jwtRequired({ ...inBody, optional: true }), express.raw({ type: "*/*" }), (req, res) => {
      res.json(String(req.body));
    });
    const headers = [["Content-Type", "multipart/form-data; boundary=x"]] as const;
    await asking(app, async (ask) => expect((await ask({ ...post, headers })).json()).toBe(body));
  });

  it("reads what express.raw has kept", async () => {
    const app = express();
    app.post(
      "/",
      express.raw({ type: "*/*" }),
      jwtRequired(inBody),
      (req, res) => void res.json(getAuth(req).identity),
    );
    await asking(app, async (ask) => expect((await ask(post)).json()).toBe("ada"));
  });

  it("does not answer where something else has", async () => {
    const slow = managerOf({ loaders: { userLookup: () => new Promise((done) => setTimeout(done, 50, null)) } });
    let ran = 0;
    const app = express();
    app.use((_req, res, next) => {
      setTimeout(() => res.status(504).end("late"), 10);
      next();
    });
    app.get("/", expressJwt(slow).jwtRequired(), () => void ran++);
    await asking(app, async (ask) => {
      const answer = await ask({ headers: [bearer(await slow.createAccessToken("ada"))] });
      await new Promise((done) => setTimeout(done, 80));
      expect([answer.status, answer.text, ran]).toEqual([504, "late", 0]);
    });
  });

  it("adds cookies to those that are there", async () => {
    const app = express().get("/", async (_req, res) => {
      res.cookie("own", "1");
      await setAccessCookies(res, cookieToken);
      res.send("x");
    });
    await asking(app, async (ask) => expect((await ask()).setCookies).toHaveLength(3));
  });

  it("narrows by the guard that let the request through", async () => {
    const { protect } = expressJwt(jwt);
    const guard = jwtRequired({ optional: true });
    const app = express().use(protect({ public: ["/open"] }));
    app.get("/open", guard, (req, res) => void res.json(guard.auth(req).identity));
    await asking(app, async (ask) => {
      expect((await ask({ path: "/open" })).json()).toBeNull();
      expect((await ask({ path: "/open", headers: [bearer(token)] })).json()).toBe("ada");
    });
  });
});

describe("fastify alone", () => {
  const { jwtRequired, protect, plugin, getAuth, verifyRequest, errorHandler } = fastifyJwt(jwt);
  const { setAccessCookies } = fastifyJwt(cookies);

  it("asks before the validation, which may change a body and tells about it", async () => {
    const app = fastify();
    const schema = {
      body: { type: "object", required: ["n"], additionalProperties: false, properties: { n: { type: "number" } } },
    };
    app.post("/", { ...jwtRequired(inBody), schema }, async (request) => [getAuth(request).identity, request.body]);
    const ask = (value: object) => app.inject({ method: "POST", url: "/", payload: value });
    expect((await ask({})).statusCode).toBe(401);
    expect((await ask({ access_token: token })).statusCode).toBe(400);
    expect((await ask({ access_token: token, n: 1 })).json()).toEqual(["ada", { n: 1 }]);
  });

  it("guards a scope, its 404s and its HEAD routes, but not what is declared public", async () => {
    const app = fastify();
    app.get("/outside", async () => "outside");
    app.register(async (scope) => {
      scope.register(protect());
      scope.get("/in", async () => "in");
      scope.get("/open", { config: { jwtPublic: true } }, async () => "open");
      scope.register(async (inner) => void inner.get("/deep", async () => "deep"));
    });
    const whole = fastify();
    whole.register(protect({ public: ["/open"] }));
    whole.get("/open", async () => "open");
    const ask = async (on: typeof app, url: string, method: "GET" | "HEAD" = "GET"): Promise<number> =>
      (await on.inject({ method, url })).statusCode;
    expect(await Promise.all(["/outside", "/in", "/open", "/deep"].map((url) => ask(app, url)))).toEqual([
      200, 401, 200, 401,
    ]);
    expect([await ask(app, "/in", "HEAD"), await ask(app, "/open", "HEAD")]).toEqual([401, 200]);
    expect([await ask(whole, "/nowhere"), await ask(whole, "/open"), await ask(whole, "/open", "HEAD")]).toEqual([
      401, 200, 200,
    ]);
    const passed = await whole.inject({ url: "/nowhere", headers: { authorization: `Bearer ${token}` } });
    expect(passed.statusCode).toBe(404);
  });

  it("hands errors that are not ours to the handler before", async () => {
    const app = fastify();
    app.setErrorHandler((_error, _request, reply) => reply.code(599).send("outer"));
    app.register(async (scope) => {
      scope.register(plugin);
      scope.get("/own", async () => Promise.reject(new Error("x")));
      scope.get("/ours", async (request) => verifyRequest(request));
    });
    expect((await app.inject("/own")).statusCode).toBe(599);
    expect((await app.inject("/ours")).json()).toMatchObject({ code: "token_missing" });
    const bare = fastify();
    bare.setErrorHandler(errorHandler());
    bare.get("/", async () => Promise.reject(Object.assign(new Error("x"), { statusCode: 418 })));
    expect((await bare.inject("/")).statusCode).toBe(418);
  });

  it("sends refusals past the response schema of the route", async () => {
    const app = fastify();
    const schema = { response: { "4xx": { type: "object", properties: { other: { type: "string" } } } } };
    app.get("/", { ...jwtRequired(), schema }, async () => "in");
    expect((await app.inject("/")).json()).toMatchObject({ code: "token_missing" });
  });

  it("does not wait for the reply when it sets cookies in it", async () => {
    const app = fastify();
    app.get("/", async (_request, reply) => {
      await setAccessCookies(reply, cookieToken);
      return "x";
    });
    expect((await app.inject("/")).headers["set-cookie"]).toHaveLength(2);
  });

  it("hides guard.auth from a spread", () => {
    expect(Object.keys(jwtRequired())).toEqual(["onRequest"]);
    expect(Object.keys(jwtRequired(inBody))).toEqual(["preValidation"]);
  });
});

describe("hono alone", () => {
  const { jwtRequired, verifyRequest, errorHandler } = honoJwt(jwt);
  const { setAccessCookies } = honoJwt(cookies);

  it("leaves the body to every way of reading it, before or after", async () => {
    const app = new Hono();
    app.use("/before/*", async (c, next) => {
      if (c.req.path.endsWith("json")) await c.req.json();
      else if (c.req.path.endsWith("text")) await c.req.text();
      else await c.req.raw.clone().text();
      await next();
    });
    app.post("/before/:how", jwtRequired(inBody), async (c) => c.json(await c.req.json()));
    app.post("/after", jwtRequired(inBody), async (c) => c.json(JSON.parse(await c.req.raw.text())));
    for (const path of ["/before/json", "/before/text", "/before/clone", "/after"]) {
      const answer = await app.request(path, { ...post, headers: [[...JSON_TYPE]] });
      expect([path, await answer.json()]).toEqual([path, { access_token: token }]);
    }
  });

  it("counts a raw body that was consumed as no token", async () => {
    const app = new Hono();
    app.use(async (c, next) => {
      await c.req.raw.text();
      await next();
    });
    app.post("/", jwtRequired(inBody), (c) => c.text("in"));
    expect((await app.request("/", { ...post, headers: [[...JSON_TYPE]] })).status).toBe(401);
  });

  it("keeps the cookies and headers of middleware in front", async () => {
    const twice = managerOf({
      loaders: { unauthorized: () => ({ status: 401, headers: [["Set-Cookie", "ours=1"]], body: {} }) },
    });
    const app = new Hono();
    app.use(cors({ origin: "https://a.example", credentials: true }));
    app.use(async (c, next) => {
      c.res.headers.append("set-cookie", "theirs=1");
      c.header("x-prepared", "1");
      await next();
    });
    app.get("/", honoJwt(twice).jwtRequired(), (c) => c.text("in"));
    const { headers, status } = await app.request("/", { headers: { origin: "https://a.example" } });
    expect([status, headers.getSetCookie()]).toEqual([401, ["theirs=1", "ours=1"]]);
    expect(headers.get("access-control-allow-origin")).toBe("https://a.example");
    expect(headers.get("x-prepared")).toBe("1");
  });

  it("answers other errors as Hono does, or by the fallback", async () => {
    const fail = (): never => {
      throw new Error("own");
    };
    const app = new Hono().onError(errorHandler((error, c) => c.text(error.message, 599 as 500)));
    app.get("/", fail).get("/ours", async (c) => c.json(await verifyRequest(c)));
    expect((await app.request("/")).status).toBe(599);
    expect(await (await app.request("/ours")).json()).toMatchObject({ code: "token_missing" });
  });

  it("adds cookies to an answer", async () => {
    const app = new Hono().get("/", async (c) => {
      await setAccessCookies(c, cookieToken);
      return c.text("x");
    });
    expect((await app.request("/")).headers.getSetCookie()).toHaveLength(2);
  });
});

describe("koa alone", () => {
  const { jwtRequired, verifyRequest, errorHandler } = koaJwt(jwt);
  const { setAccessCookies } = koaJwt(cookies);

  it("leaves a body it has read to a parser that comes later", async () => {
    const app = new Koa();
    app.use(jwtRequired(inBody)).use(bodyParser());
    app.use((ctx) => {
      ctx.body = ctx.request.body;
    });
    await asking(app.callback(), async (ask) => expect((await ask(post)).json()).toEqual({ access_token: token }));
  });

  it("hands errors that are not ours to Koa", async () => {
    const app = new Koa();
    app.silent = true;
    app.use(errorHandler()).use(async (ctx) => {
      if (ctx.path === "/ours") await verifyRequest(ctx);
      ctx.throw(418);
    });
    await asking(app.callback(), async (ask) => {
      expect((await ask()).status).toBe(418);
      expect((await ask({ path: "/ours" })).json()).toMatchObject({ code: "token_missing" });
    });
  });

  it("adds cookies to those that are there", async () => {
    const app = new Koa().use(async (ctx) => {
      ctx.cookies.set("own", "1");
      await setAccessCookies(ctx, cookieToken);
      ctx.body = "x";
    });
    await asking(app.callback(), async (ask) => expect((await ask()).setCookies).toHaveLength(3));
  });
});

describe("node alone", () => {
  const { jwtRequired, verifyRequest } = nodeJwt(jwt);

  it("hands the body on", async () => {
    const listener = jwtRequired(inBody, (req, res, auth) => res.end(JSON.stringify([auth.identity, req.body])));
    await asking(listener, async (ask) => expect((await ask(post)).json()).toEqual(["ada", { access_token: token }]));
  });

  it("rejects with errors that are not ours", async () => {
    const guarded = jwtRequired(() => Promise.reject(new Error("own")));
    const listener: RequestListener = (req, res) => {
      guarded(req, res).catch((error: Error) => res.end(error.message));
    };
    await asking(listener, async (ask) => expect((await ask({ headers: [bearer(token)] })).text).toBe("own"));
  });

  it("judges WebSocket upgrades", async () => {
    const server = createServer();
    server.on("upgrade", async (req: IncomingMessage, socket) => {
      const auth = await verifyRequest(req).catch(() => undefined);
      const upgraded = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
      socket.end(auth ? upgraded : "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    const { url, close } = await listen(server);
    const upgrade = (authorization: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { connection: "Upgrade", upgrade: "websocket", authorization };
        httpGet(url, { headers, agent: false }, (res) => resolve(res.statusCode))
          .on("upgrade", (res) => resolve(res.statusCode))
          .on("error", reject);
      });
    expect([await upgrade(`Bearer ${token}`), await upgrade("Bearer x")]).toEqual([101, 401]);
    await close();
  });
});

describe("web alone", () => {
  const { jwtRequired, sendTokens } = webJwt(jwt);
  const { setAccessCookies, unsetJwtCookies } = webJwt(cookies);
  const request = (headers: Record<string, string> = { authorization: `Bearer ${token}` }): Request =>
    new Request("https://app.example/x?y=1", { headers });

  it("hands on whatever the framework gives", async () => {
    const handler = jwtRequired((_request, auth, context: { params: { id: string } }) =>
      Response.json([auth.identity, context.params.id]),
    );
    expect(await (await handler(request(), { params: { id: "7" } })).json()).toEqual(["ada", "7"]);
    expect((await handler(request({}), { params: { id: "7" } })).status).toBe(401);
  });

  it("gives a new response where an old one cannot be changed", async () => {
    const moved = Response.redirect("https://app.example/", 303);
    const answer = await unsetJwtCookies(await setAccessCookies(moved, cookieToken));
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "https://app.example/"]);
    expect(answer.headers.getSetCookie().length).toBeGreaterThanOrEqual(4);
    expect(moved.headers.getSetCookie()).toEqual([]);
  });

  it("sends tokens by itself", async () => {
    const answer = await sendTokens(await jwt.createTokenPair("ada"), { status: 201 });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([201, "application/json; charset=utf-8"]);
  });

  it("gives the handler's own response back where there is nothing to add", async () => {
    const own = new Response("x");
    expect(await jwtRequired(() => own)(request())).toBe(own);
  });

  it("rejects with errors that are not ours", async () => {
    const handler = jwtRequired(() => Promise.reject(new TypeError("own")));
    await expect(handler(request())).rejects.toThrow("own");
  });

  it("sees a request through a listener as it came", async () => {
    const listener = getRequestListener(jwtRequired(inBody, async (req) => new Response(await req.text())));
    await asking(listener, async (ask) => expect((await ask(post)).text).toBe(body));
  });
});
