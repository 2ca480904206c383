// Shows a page of devices: where somebody is logged in, and how to end one login, or all others.
//
// $ curl -A "a phone" --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$PHONE",…}
// $ curl -A "a tablet" --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$TABLET",…}
// $ curl -A "a laptop" --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$LAPTOP",…}
// $ curl -H "Authorization: Bearer $LAPTOP" 127.0.0.1:5000/me/sessions
// 200 {"sessions":[{"sessionId":"$ID",…}]}
// $ curl -H "Authorization: Bearer $PHONE" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada","session":"$OLD"}
// $ curl -X DELETE -H "Authorization: Bearer $LAPTOP" 127.0.0.1:5000/me/sessions/$OLD
// 204
// $ curl -H "Authorization: Bearer $PHONE" 127.0.0.1:5000/protected
// 401 {"code":"token_revoked","msg":"Token has been revoked"}
// $ curl -X DELETE -H "Authorization: Bearer $LAPTOP" 127.0.0.1:5000/me/sessions/somebody-elses
// 404 {"code":"session_unknown","msg":"Session is unknown"}
// $ curl -X POST -H "Authorization: Bearer $LAPTOP" 127.0.0.1:5000/me/logout-others
// 204
// $ curl -H "Authorization: Bearer $TABLET" 127.0.0.1:5000/protected
// 401 {"code":"token_revoked","msg":"Token has been revoked"}
// $ curl -H "Authorization: Bearer $LAPTOP" 127.0.0.1:5000/me/sessions
// 200 {"sessions":[{…"userAgent":"a laptop",…"current":true}]}

import { randomBytes } from "node:crypto";
import { bodyParser } from "@koa/bodyparser";
import Router from "@koa/router";
import { JWTManager, jwtRoutes } from "jwt-extended";
import { koaJwt } from "jwt-extended/koa";
import Koa from "koa";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { jwtRequired, getAuth, sendTokens, mount, errorHandler } = koaJwt(jwt);

const router = new Router();
router.post("/login", async (ctx) => {
  const { username } = ctx.request.body as { username: string }; // check the password here
  // Kept with the session, to be shown: the browser's words, and a keyed hash of the address.
  const client = { userAgent: ctx.get("user-agent"), address: ctx.ip };
  await sendTokens(ctx, await jwt.createTokenPair(username, { client }));
});
router.get("/protected", jwtRequired(), (ctx) => {
  const { identity, sessionId } = getAuth(ctx);
  ctx.body = { logged_in_as: identity, session: sessionId };
});

const app = new Koa();
app.use(errorHandler()).use(bodyParser());
app.use(mount(jwtRoutes(jwt), "/me"));
app.use(router.routes());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
