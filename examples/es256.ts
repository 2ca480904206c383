// Shows tokens signed with ES256, by a key that has a name (`kid`).
//
// $ curl -X POST 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada","signed_with":"ES256","key":"key-1"}

import { generateKeyPairSync } from "node:crypto";
import Router from "@koa/router";
import { JWTManager } from "jwt-extended";
import { koaJwt } from "jwt-extended/koa";
import Koa from "koa";

// Made anew at each start, for the example. Yours comes from a file or a vault, as PEM text or JWK:
// openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out private.pem
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const jwt = new JWTManager({
  algorithm: "ES256",
  privateKey: { ...privateKey.export({ format: "jwk" }), kid: "key-1" }, // its public half is known from it
});
const { jwtRequired, sendTokens } = koaJwt(jwt);

const app = new Koa();
const router = new Router();

router.post("/login", async (ctx) => {
  await sendTokens(ctx, await jwt.createTokenPair("ada")); // check the password here
});

router.get("/protected", jwtRequired(), (ctx) => {
  const { identity, header } = ctx.state.auth;
  ctx.body = { logged_in_as: identity, signed_with: header.alg, key: header.kid };
});

app.use(router.routes());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
