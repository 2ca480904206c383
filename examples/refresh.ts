// Shows how a client gets the next pair of tokens with its refresh token, which works once.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"Bearer","expires_in":900}
// 16 minutes later:
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 401 {"code":"token_expired","msg":"Token has expired"}
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/refresh
// 200 {"access_token":"$RENEWED","refresh_token":"$NEXT","token_type":"Bearer","expires_in":900}
// $ curl -H "Authorization: Bearer $RENEWED" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl -H "Authorization: Bearer $REFRESH" 127.0.0.1:5000/protected
// 401 {"code":"wrong_token_type","msg":"Token is of the wrong type: this needs an access token"}
// $ curl --json '{"refresh_token":"'$RENEWED'"}' 127.0.0.1:5000/refresh
// 401 {"code":"wrong_token_type","msg":"Token is of the wrong type: this needs a refresh token"}
// # The answer got lost? The same token again, within 10 seconds, gives the same next one:
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/refresh
// 200 {"access_token":"…","refresh_token":"$NEXT",…}
// 1 minute later:
// # Now somebody has a copy. Nobody can say who is who, so the session ends for both:
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/refresh
// 401 {"code":"token_reused","msg":"Refresh token was used before; its session has ended"}
// $ curl --json '{"refresh_token":"'$NEXT'"}' 127.0.0.1:5000/refresh
// 401 {"code":"session_ended","msg":"Session has ended"}
// $ curl -H "Authorization: Bearer $RENEWED" 127.0.0.1:5000/protected
// 401 {"code":"token_revoked","msg":"Token has been revoked"}

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
