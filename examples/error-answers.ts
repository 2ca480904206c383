// Shows how to change what refused requests get.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl 127.0.0.1:5000/protected
// 303
// Location: /login
// $ curl -H "Authorization: Bearer forged" 127.0.0.1:5000/protected
// 401 {"type":"urn:problem:token_invalid","title":"Token is invalid"}
// Content-Type: application/problem+json
// 16 minutes later:
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 401 {"title":"Please log in again, ada"}

import { randomBytes } from "node:crypto";
import { bodyParser } from "@koa/bodyparser";
import Router from "@koa/router";
import { JWTManager } from "jwt-extended";
import { koaJwt } from "jwt-extended/koa";
import Koa from "koa";

const jwt = new JWTManager({
  secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url"),
  loaders: {
    // A loader for one kind of refusal answers with status, headers and body, or with a Web Response.
    expiredToken: (_header, claims) => ({
      status: 401,
      headers: [],
      body: { title: `Please log in again, ${claims.sub}` },
    }),
    unauthorized: () => new Response(null, { status: 303, headers: { location: "/login" } }),
    // Every refusal that has no loader of its own. The message never holds anything that the client sent.
    error: ({ code, status, message }) => ({
      status,
      headers: [["content-type", "application/problem+json"]],
      body: { type: `urn:problem:${code}`, title: message },
    }),
  },
});
const { jwtRequired, sendTokens } = koaJwt(jwt);

const app = new Koa();
const router = new Router();

router.post("/login", bodyParser(), async (ctx) => {
  const { username } = (ctx.request.body ?? {}) as Record<string, unknown>; // check the password here
  if (typeof username === "string") await sendTokens(ctx, await jwt.createTokenPair(username));
  else ctx.status = 400;
});

router.get("/protected", jwtRequired(), (ctx) => {
  ctx.body = { logged_in_as: ctx.state.auth.identity };
});

app.use(router.routes());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
