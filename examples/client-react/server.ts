// Shows the page of client-html in React, served by Hono. The hooks are in use-auth.ts, the page is main.tsx.
// In a clone of the repository:
//
//   npx tsx examples/client-react/server.ts
//
// Open http://127.0.0.1:5000 in two tabs. The password is "lovelace".

import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { build } from "esbuild";
import { Hono } from "hono";
import { JWTManager, jwtRoutes } from "jwt-extended";
import { honoJwt } from "jwt-extended/hono";

const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, tokenLocation: "cookies", accessTokenExpires: "5m" });
const { jwtRequired, sendTokens, mount, errorHandler } = honoJwt(jwt);

const app = new Hono();
app.onError(errorHandler());
app.use(mount(jwtRoutes(jwt), "/auth"));

app.post("/login", async (c) => {
  const { username, password } = await c.req.json();
  if (typeof username !== "string" || password !== "lovelace") return c.json({ msg: "Wrong name or password" }, 401);
  return sendTokens(c, await jwt.createTokenPair(username, { fresh: true }));
});
app.get("/me", jwtRequired(), (c) => c.json({ id: c.var.auth.identity }));
app.post("/transfer", jwtRequired(), (c) => c.json({ sent: 10 }));
app.delete("/account", jwtRequired({ fresh: true }), (c) => c.json({ closed: true }));

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("main.tsx", import.meta.url))],
  bundle: true,
  minify: true,
  format: "esm",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  write: false,
});
const PAGE = `<!doctype html><html lang="en"><title>React</title><main id="root"></main><script type="module" src="main.js"></script></html>`;
app.get("/", (c) => c.html(PAGE, 200, { "Content-Security-Policy": "default-src 'self'" }));
app.get("/main.js", (c) => c.body(outputFiles[0]?.text ?? "", 200, { "Content-Type": "text/javascript" }));

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 5000), hostname: "127.0.0.1" });
