// Shows a login that hands out one access token, and a route that asks for it.
//
// $ curl --json '{"username":"ada","password":"wrong"}' 127.0.0.1:5000/login
// 401 {"msg":"Wrong username or password"}
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS"}
// Cache-Control: no-store
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl -H "Authorization: Bearer not.a.token" 127.0.0.1:5000/protected
// 401 {"code":"token_invalid","msg":"Token is invalid"}
// WWW-Authenticate: Bearer error="invalid_token"
// 16 minutes later:
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 401 {"code":"token_expired","msg":"Token has expired"}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { jwtRequired, getAuth } = expressJwt(jwt);

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const { username, password } = req.body ?? {};
  if (username !== "ada" || password !== "lovelace") {
    res.status(401).json({ msg: "Wrong username or password" });
    return;
  }
  res.set("Cache-Control", "no-store").json({ access_token: await jwt.createAccessToken(username) });
});

app.get("/protected", jwtRequired(), (req, res) => {
  res.json({ logged_in_as: getAuth(req).identity });
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
