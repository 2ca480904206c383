// Shows a route for those who logged in no longer ago than five minutes.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// 4 minutes later:
// $ curl -X POST -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/transfer
// 200 {"sent_by":"ada"}
// 2 minutes later:
// $ curl -X POST -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/transfer
// 401 {"code":"token_not_fresh","msg":"A more recent login is required"}
// WWW-Authenticate: Bearer error="insufficient_user_authentication", max_age="300"
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/balance
// 200 {"balance":42}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { jwtRequired, getAuth, sendTokens } = expressJwt(jwt);

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (typeof username === "string") await sendTokens(res, await jwt.createTokenPair(username, { fresh: true }));
  else res.sendStatus(400);
});

app.get("/balance", jwtRequired(), (_req, res) => {
  res.json({ balance: 42 });
});

app.post("/transfer", jwtRequired({ fresh: "5m" }), (req, res) => {
  res.json({ sent_by: getAuth(req).identity });
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
