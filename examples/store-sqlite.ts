// Shows logout with sessions and blocklist in a file of SQLite, which outlives a restart.
//
// The file is DATABASE_URL, or sessions.db in this folder. Set JWT_SECRET_KEY to keep logins over a restart, too.
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
import Fastify from "fastify";
import { JWTManager } from "jwt-extended";
import { fastifyJwt } from "jwt-extended/fastify";
import { sqliteStore } from "jwt-extended/sqlite";
import Database from "libsql"; // or better-sqlite3, or DatabaseSync of node:sqlite

const database = new Database(process.env.DATABASE_URL ?? "sessions.db");
const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, store: sqliteStore({ database }) }); // it makes its tables itself
const { jwtRequired, getAuth, sendTokens, plugin } = fastifyJwt(jwt);

const app = Fastify();
app.register(plugin);

app.post<{ Body: { username: string } }>("/login", async (request, reply) => {
  await sendTokens(reply, await jwt.createTokenPair(request.body.username)); // check the password here
  return reply;
});
app.post<{ Body: { refresh_token: string } }>("/refresh", async (request, reply) => {
  await sendTokens(reply, await jwt.refreshTokenPair(request.body.refresh_token));
  return reply;
});
app.delete("/logout", jwtRequired(), async (request) => {
  const { sessionId } = getAuth(request);
  if (sessionId) await jwt.revokeSession(sessionId); // access and refresh token at once
  return { msg: "Logged out" };
});
app.get("/protected", jwtRequired(), async (request) => ({ hello: getAuth(request).identity }));

await app.listen({ port: Number(process.env.PORT ?? 5000) });
