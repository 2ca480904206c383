// Shows how a client gets a new access token when the old one has expired: with its refresh token.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"Bearer","expires_in":900}
// 16 minutes later:
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 401 {"code":"token_expired","msg":"Token has expired"}
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/refresh
// 200 {"access_token":"$RENEWED","refresh_token":"…","token_type":"Bearer","expires_in":900}
// $ curl -H "Authorization: Bearer $RENEWED" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl -H "Authorization: Bearer $REFRESH" 127.0.0.1:5000/protected
// 401 {"code":"wrong_token_type","msg":"Token is of the wrong type: this needs an access token"}
// $ curl --json '{"refresh_token":"'$RENEWED'"}' 127.0.0.1:5000/refresh
// 401 {"code":"wrong_token_type","msg":"Token is of the wrong type: this needs a refresh token"}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { jwtRequired, getAuth, sendTokens, errorHandler } = expressJwt(jwt);

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (typeof username === "string") await sendTokens(res, await jwt.createTokenPair(username));
  else res.sendStatus(400);
});

app.post("/refresh", async (req, res) => {
  // Throws if the token is not good: errorHandler() below turns that into the answer.
  await sendTokens(res, await jwt.refreshTokenPair(req.body?.refresh_token));
});

app.get("/protected", jwtRequired(), (req, res) => {
  res.json({ logged_in_as: getAuth(req).identity });
});

app.use(errorHandler());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
