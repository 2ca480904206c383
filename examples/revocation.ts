// Shows a logout that ends access and refresh token together, and one that ends every login of the user.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$PHONE","refresh_token":"$REFRESH",…}
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$LAPTOP",…}
// $ curl -X POST -H "Authorization: Bearer $PHONE" 127.0.0.1:5000/logout
// 204
// $ curl -H "Authorization: Bearer $PHONE" 127.0.0.1:5000/protected
// 401 {"code":"token_revoked","msg":"Token has been revoked"}
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/refresh
// 401 {"code":"session_ended",…}
// $ curl -H "Authorization: Bearer $LAPTOP" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl -X POST -H "Authorization: Bearer $LAPTOP" 127.0.0.1:5000/logout-everywhere
// 204
// $ curl -H "Authorization: Bearer $LAPTOP" 127.0.0.1:5000/protected
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
  await sendTokens(res, await jwt.refreshTokenPair(req.body?.refresh_token));
});
app.post("/logout", jwtRequired(), async (req, res) => {
  const { sessionId } = getAuth(req);
  if (sessionId) await jwt.revokeSession(sessionId); // tokens of createTokenPair always have one
  res.sendStatus(204);
});
app.post("/logout-everywhere", jwtRequired(), async (req, res) => {
  await jwt.revokeSubject(getAuth(req).identity); // after a change of the password, too
  res.sendStatus(204);
});
app.get("/protected", jwtRequired(), (req, res) => {
  res.json({ logged_in_as: getAuth(req).identity });
});
app.use(errorHandler());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
