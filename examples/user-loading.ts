// Shows a guard that loads the user of the token, and refuses the token of a user who is gone.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/me
// 200 {"id":7,"name":"Ada Lovelace"}
// $ curl -X DELETE -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/me
// 204
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/me
// 401 {"code":"user_not_found","msg":"The user of this token was not found"}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

interface User {
  id: number;
  username: string;
  name: string;
}
const users = new Map<number, User>([[7, { id: 7, username: "ada", name: "Ada Lovelace" }]]);

const jwt = new JWTManager({
  secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url"),
  loaders: {
    // A token holds text, so a number is written as text and read back.
    userIdentity: (user: User) => String(user.id),
    userLookup: (_header, claims) => users.get(Number(claims.sub)),
  },
});
const { jwtRequired, getAuth, sendTokens } = expressJwt(jwt);

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const user = [...users.values()].find(({ username }) => username === req.body?.username); // check the password here
  if (user) await sendTokens(res, await jwt.createTokenPair(user));
  else res.status(401).json({ msg: "Wrong username or password" });
});

app.get("/me", jwtRequired(), (req, res) => {
  const { id, name } = getAuth(req).user; // typed as User
  res.json({ id, name });
});

app.delete("/me", jwtRequired(), (req, res) => {
  users.delete(getAuth(req).user.id);
  res.sendStatus(204);
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
