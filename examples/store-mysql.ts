// Shows logout with sessions and blocklist in MySQL or MariaDB, beside the tables of the application.
//
// It needs a database: DATABASE_URL, or the one named test on this machine.
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
import { bodyParser } from "@koa/bodyparser";
import Router from "@koa/router";
import { JWTManager } from "jwt-extended";
import { koaJwt } from "jwt-extended/koa";
import { mysqlStore } from "jwt-extended/mysql";
import Koa from "koa";
import { createPool } from "mysql2/promise";

const uri = process.env.DATABASE_URL ?? "mysql://root@127.0.0.1:3306/test";
const pool = createPool({ uri, connectTimeout: 1_000 });
const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, store: mysqlStore({ pool }) }); // it makes its tables itself
const { jwtRequired, getAuth, sendTokens, errorHandler } = koaJwt(jwt);

const router = new Router();
router.post("/login", async (ctx) => {
  const { username } = ctx.request.body as { username: string }; // check the password here
  await sendTokens(ctx, await jwt.createTokenPair(username));
});
router.post("/refresh", async (ctx) => {
  const { refresh_token } = ctx.request.body as { refresh_token: string };
  await sendTokens(ctx, await jwt.refreshTokenPair(refresh_token));
});
router.delete("/logout", jwtRequired(), async (ctx) => {
  const { sessionId } = getAuth(ctx);
  if (sessionId) await jwt.revokeSession(sessionId); // access and refresh token at once
  ctx.body = { msg: "Logged out" };
});
router.get("/protected", jwtRequired(), (ctx) => {
  ctx.body = { hello: getAuth(ctx).identity };
});

const app = new Koa();
app.use(errorHandler()).use(bodyParser()).use(router.routes());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
