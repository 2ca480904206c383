// Shows logout with a blocklist in Redis, which all processes of a service share.
//
// It needs a Redis or Valkey: REDIS_URL, or one on this machine. Start a second process with PORT=5001 and the same
// JWT_SECRET_KEY, log out at one of them, and the token is dead at both.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"hello":"ada"}
// $ curl -X DELETE -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/logout
// 200 {"msg":"Logged out"}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 401 {"code":"token_revoked","msg":"Token has been revoked"}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";
import { redisStore } from "jwt-extended/redis";
import { createClient } from "redis";

const client = createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" });
client.on("error", (error) => console.error("redis:", error.message));
await client.connect();

const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, store: redisStore({ client }) }); // the blocklist: nothing else to write
const { jwtRequired, getAuth, sendTokens, errorHandler } = expressJwt(jwt);

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (typeof username === "string") await sendTokens(res, await jwt.createTokenPair(username));
  else res.sendStatus(400);
});
app.delete("/logout", jwtRequired(), async (req, res) => {
  const { sessionId } = getAuth(req);
  if (sessionId) await jwt.revokeSession(sessionId); // in Redis until the last token of this login has expired
  res.json({ msg: "Logged out" });
});
app.get("/protected", jwtRequired(), (req, res) => {
  res.json({ hello: getAuth(req).identity });
});
app.use(errorHandler());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
