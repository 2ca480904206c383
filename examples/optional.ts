// Shows routes for guests and users alike, and what becomes of an expired token there.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl 127.0.0.1:5000/news
// 200 {"hello":"guest"}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/news
// 200 {"hello":"ada"}
// 16 minutes later:
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/news
// 401 {"code":"token_expired","msg":"Token has expired"}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/front
// 200 {"hello":"guest","because":"expired"}
// $ curl -H "Authorization: Bearer forged" 127.0.0.1:5000/front
// 401 {"code":"token_invalid","msg":"Token is invalid"}

import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { JWTManager } from "jwt-extended";
import { honoJwt } from "jwt-extended/hono";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { jwtRequired, sendTokens } = honoJwt(jwt);

const app = new Hono();

app.post("/login", async (c) => {
  const { username } = await c.req.json(); // check the password here
  return sendTokens(c, await jwt.createTokenPair(username));
});

// No token is fine, a bad one is not: the client learns that it must log in again.
app.get("/news", jwtRequired({ optional: true }), (c) => c.json({ hello: c.var.auth.identity ?? "guest" }));

// Here an expired token counts as none. One that is forged or revoked is still refused.
app.get("/front", jwtRequired({ optional: "lenient" }), (c) => {
  const { auth } = c.var;
  return c.json(auth.identity === null ? { hello: "guest", because: auth.reason } : { hello: auth.identity });
});

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 5000), hostname: "127.0.0.1" });
