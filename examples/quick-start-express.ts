// Shows the shortest useful application in Express: a login, and a route that needs its token.
//
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"Bearer","expires_in":900}
// Cache-Control: no-store
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl 127.0.0.1:5000/protected
// 401 {"code":"token_missing","msg":"No token was sent. Looked for the header \"Authorization: Bearer <token>\"."}
// WWW-Authenticate: Bearer

import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY });
const { jwtRequired, getAuth, sendTokens } = expressJwt(jwt);

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const { username, password } = req.body ?? {};
  // Look the user up in your database here.
  if (username !== "ada" || password !== "lovelace") {
    res.status(401).json({ msg: "Wrong username or password" });
    return;
  }
  await sendTokens(res, await jwt.createTokenPair(username));
});

app.get("/protected", jwtRequired(), (req, res) => {
  res.json({ logged_in_as: getAuth(req).identity });
});

app.listen(5000);
