// Shows the same as refresh.ts for browsers: both tokens are in cookies that no script can read.
//
// $ curl -c jar --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"expires_in":900}
// Set-Cookie: __Host-access_token=…; HttpOnly; Secure; SameSite=Lax
// Set-Cookie: __Host-csrf_refresh=$CSRF; …
// 16 minutes later:
// $ curl -b jar 127.0.0.1:5000/protected
// 401 {"code":"token_missing",…}
// $ curl -b jar -c jar -X POST 127.0.0.1:5000/auth/refresh
// 403 {"code":"csrf_missing",…}
// $ curl -b jar -c jar -X POST -H "X-CSRF-TOKEN: $CSRF" 127.0.0.1:5000/auth/refresh
// 200 {"expires_in":900}
// Set-Cookie: __Host-refresh_token=…; HttpOnly; Secure; SameSite=Lax
// $ curl -b jar 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}

import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { JWTManager, jwtRoutes } from "jwt-extended";
import { honoJwt } from "jwt-extended/hono";

const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, tokenLocation: "cookies" });
const { jwtRequired, sendTokens, mount, errorHandler } = honoJwt(jwt);

const app = new Hono();
app.onError(errorHandler());

app.post("/login", async (c) => {
  const { username } = await c.req.json(); // check the password here
  return sendTokens(c, await jwt.createTokenPair(username));
});

// POST /auth/refresh and /auth/logout, and those of a page of devices. Both cookies are new after a refresh.
app.use(mount(jwtRoutes(jwt), "/auth"));

app.get("/protected", jwtRequired(), (c) => c.json({ logged_in_as: c.var.auth.identity }));

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 5000), hostname: "127.0.0.1" });
