// Shows what a route can read of a token: its claims, its header (here with the name of the key, `kid`) and its place.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/token
// 200 {"identity":"ada","header":{"alg":"HS256","typ":"JWT","kid":"key-1"},"type":"access","location":"headers"}
// $ curl --json '{"token":"'$ACCESS'"}' 127.0.0.1:5000/kid
// 200 {"kid":"key-1"}

import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { JWTManager } from "jwt-extended";
import { honoJwt } from "jwt-extended/hono";

const secret = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
// As a JWK (RFC 7517) a secret can have a name; its bytes are in base64url.
const jwt = new JWTManager({ secretKey: { kty: "oct", kid: "key-1", k: Buffer.from(secret).toString("base64url") } });
const { jwtRequired, sendTokens } = honoJwt(jwt);

const app = new Hono();

app.post("/login", async (c) => {
  const { username } = await c.req.json(); // check the password here
  return sendTokens(c, await jwt.createTokenPair(username));
});

app.get("/token", jwtRequired(), (c) => {
  const { identity, header, claims, location } = c.var.auth;
  return c.json({ identity, header, type: claims.type, location });
});

app.post("/kid", async (c) => {
  const { token } = await c.req.json();
  // Unverified: anybody can write a header. Good for choosing a key or for a log, never for a decision.
  return c.json({ kid: jwt.getUnverifiedHeader(token).kid });
});

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 5000), hostname: "127.0.0.1" });
