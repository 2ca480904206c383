// Shows the shortest useful application in Hono: a login, and a route that needs its token.
//
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"Bearer","expires_in":900}
// Cache-Control: no-store
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl 127.0.0.1:5000/protected
// 401 {"code":"token_missing","msg":"No token was sent. Looked for the header \"Authorization: Bearer <token>\"."}
// WWW-Authenticate: Bearer

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { JWTManager } from "jwt-extended";
import { honoJwt } from "jwt-extended/hono";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY });
const { jwtRequired, sendTokens } = honoJwt(jwt);

const app = new Hono();

app.post("/login", async (c) => {
  const { username, password } = await c.req.json();
  // Look the user up in your database here.
  if (username !== "ada" || password !== "lovelace") {
    return c.json({ msg: "Wrong username or password" }, 401);
  }
  return sendTokens(c, await jwt.createTokenPair(username));
});

app.get("/protected", jwtRequired(), (c) => c.json({ logged_in_as: c.var.auth.identity }));

serve({ fetch: app.fetch, port: 5000 });
