// Shows logout with sessions and blocklist in PostgreSQL, beside the tables of the application.
//
// It needs a database: DATABASE_URL, or the one named postgres on this machine.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"hello":"ada"}
// $ curl -X DELETE -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/logout
// 200 {"msg":"Logged out"}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 401 {"code":"token_revoked","msg":"Token has been revoked"}
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/refresh
// 401 {"code":"session_ended",…}

import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { JWTManager } from "jwt-extended";
import { honoJwt } from "jwt-extended/hono";
import { postgresStore } from "jwt-extended/postgres";
import pg from "pg";

const connectionString = process.env.DATABASE_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";
const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 1_000 });
const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, store: postgresStore({ pool }) }); // it makes its tables itself
const { jwtRequired, sendTokens, errorHandler } = honoJwt(jwt);

const app = new Hono();
app.onError(errorHandler());

app.post("/login", async (c) => {
  const { username } = await c.req.json(); // check the password here
  return sendTokens(c, await jwt.createTokenPair(username));
});
app.post("/refresh", async (c) => {
  const { refresh_token } = await c.req.json();
  return sendTokens(c, await jwt.refreshTokenPair(refresh_token));
});
app.delete("/logout", jwtRequired(), async (c) => {
  const { sessionId } = c.var.auth;
  if (sessionId) await jwt.revokeSession(sessionId); // access and refresh token at once
  return c.json({ msg: "Logged out" });
});
app.get("/protected", jwtRequired(), (c) => c.json({ hello: c.var.auth.identity }));

serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 5000), hostname: "127.0.0.1" });
