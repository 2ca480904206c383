// Shows the two functions of Flask-JWT, `authenticate` and `identity`, with its route `/auth` and its scheme `JWT`.
//
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/auth
// 200 {"access_token":"$ACCESS"}
// $ curl -H "Authorization: JWT $ACCESS" 127.0.0.1:5000/protected
// 200 {"id":1,"username":"ada"}
// $ curl --json '{"username":"ada","password":"wrong"}' 127.0.0.1:5000/auth
// 401 {"error":"Bad Request","description":"Invalid credentials","status_code":401}
// $ curl 127.0.0.1:5000/protected
// 401 {"code":"token_missing",…}
// WWW-Authenticate: JWT

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

interface User {
  id: number;
  username: string;
  password: string;
}
const users: User[] = [{ id: 1, username: "ada", password: "lovelace" }];

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Takes name and password, gives the user. Keep hashes, not passwords: see accounts.ts. */
function authenticate(username: string, password: string): User | undefined {
  const user = users.find((one) => one.username === username);
  return user && timingSafeEqual(digest(user.password), digest(password)) ? user : undefined;
}

/** Takes the claims of a token, gives the user. Flask-JWT had the id in the claim `identity`, here it is in `sub`. */
function identity(payload: { sub: string }): User | undefined {
  return users.find(({ id }) => String(id) === payload.sub);
}

const jwt = new JWTManager({
  secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url"),
  headerType: "JWT",
  loaders: { userIdentity: (user: User) => String(user.id), userLookup: (_header, payload) => identity(payload) },
});
const { jwtRequired, getAuth } = expressJwt(jwt);

const app = express();
app.post("/auth", express.json(), async (req, res) => {
  const { username, password } = (req.body ?? {}) as Record<string, unknown>;
  const user = authenticate(String(username), String(password));
  if (user) res.set("Cache-Control", "no-store").json({ access_token: await jwt.createAccessToken(user) });
  else res.status(401).json({ error: "Bad Request", description: "Invalid credentials", status_code: 401 });
});
app.get("/protected", jwtRequired(), (req, res) => {
  const { id, username } = getAuth(req).user;
  res.json({ id, username });
});
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
