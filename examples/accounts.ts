// Shows the whole way of a user: register, log in, renew the login, and a page for administrators.
//
// $ curl --json '{"username":"ada","password":"analytical engine"}' 127.0.0.1:5000/register
// 201 {"registered":"ada"}
// $ curl --json '{"username":"ada","password":"analytical engine"}' 127.0.0.1:5000/register
// 409 {"msg":"This name is taken"}
// $ curl --json '{"username":"ada","password":"a wrong guess"}' 127.0.0.1:5000/login
// 401 {"msg":"Wrong username or password"}
// $ curl --json '{"username":"ada","password":"analytical engine"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH",…}
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/refresh
// 200 {"access_token":"$RENEWED",…}
// $ curl -H "Authorization: Bearer $RENEWED" 127.0.0.1:5000/admin
// 200 {"users":["ada"]}
// $ curl --json '{"username":"bob","password":"a long password"}' 127.0.0.1:5000/register
// 201 {"registered":"bob"}
// $ curl --json '{"username":"bob","password":"a long password"}' 127.0.0.1:5000/login
// 200 {"access_token":"$BOB",…}
// $ curl -H "Authorization: Bearer $BOB" 127.0.0.1:5000/admin
// 403 {"code":"insufficient_role","msg":"A required role is missing"}

import { randomBytes } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const users = new Map<string, { password: string; roles: string[] }>(); // in your application, a database
const nobody = await hash(randomBytes(16)); // so that an unknown name takes as long as a wrong password

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { jwtRequired, sendTokens, errorHandler } = expressJwt(jwt);

const app = express();
app.use(express.json());
app.post("/register", async (req, res) => {
  const { username, password } = req.body ?? {};
  if (typeof username !== "string" || !/^\w{1,50}$/.test(username))
    return res.status(400).json({ msg: "Bad username" });
  if (typeof password !== "string" || password.length < 8) return res.status(400).json({ msg: "Password too short" });
  const hashed = await hash(password);
  if (users.has(username)) return res.status(409).json({ msg: "This name is taken" });
  users.set(username, { password: hashed, roles: users.size === 0 ? ["admin"] : [] });
  return res.status(201).json({ registered: username });
});
app.post("/login", async (req, res) => {
  const user = users.get(req.body?.username);
  const right = await verify(user?.password ?? nobody, String(req.body?.password));
  if (!user || !right) return res.status(401).json({ msg: "Wrong username or password" });
  return sendTokens(res, await jwt.createTokenPair(req.body.username, { claims: { roles: user.roles } }));
});
app.post("/refresh", async (req, res) => sendTokens(res, await jwt.refreshTokenPair(req.body?.refresh_token)));
app.get("/admin", jwtRequired({ roles: "admin" }), (_req, res) => {
  res.json({ users: [...users.keys()] });
});
app.use(errorHandler());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
