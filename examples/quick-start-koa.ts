// Shows the shortest useful application in Koa: a login, and a route that needs its token.
//
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"Bearer","expires_in":900}
// Cache-Control: no-store
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl 127.0.0.1:5000/protected
// 401 {"code":"token_missing","msg":"No token was sent. Looked for the header \"Authorization: Bearer <token>\"."}
// WWW-Authenticate: Bearer

import { bodyParser } from "@koa/bodyparser";
import Router from "@koa/router";
import { JWTManager } from "jwt-extended";
import { koaJwt } from "jwt-extended/koa";
import Koa from "koa";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY });
const { jwtRequired, sendTokens } = koaJwt(jwt);

const app = new Koa();
const router = new Router();

router.post("/login", bodyParser(), async (ctx) => {
  const { username, password } = (ctx.request.body ?? {}) as Record<string, unknown>;
  // Look the user up in your database here.
  if (username !== "ada" || password !== "lovelace") {
    ctx.status = 401;
    ctx.body = { msg: "Wrong username or password" };
    return;
  }
  await sendTokens(ctx, await jwt.createTokenPair(username));
});

router.get("/protected", jwtRequired(), (ctx) => {
  ctx.body = { logged_in_as: ctx.state.auth.identity };
});

app.use(router.routes());
app.listen(5000);
