// Shows cookies that renew themselves while somebody is there, and end 15 minutes after the last visit.
//
// $ curl -c jar --json '{"username":"ada"}' 127.0.0.1:5000/login
// 204
// Set-Cookie: __Host-csrf_access=$CSRF; …
// 5 minutes later:
// $ curl -b jar -c jar 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// 5 minutes later:
// $ curl -b jar -c jar 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// Set-Cookie: __Host-access_token=…; HttpOnly; Secure; SameSite=Lax
// 10 minutes later:
// $ curl -b jar -c jar -X POST -H "X-CSRF-TOKEN: $CSRF" 127.0.0.1:5000/logout
// 204
// Set-Cookie: __Host-access_token=; Path=/; Max-Age=0; …
// $ curl -b jar 127.0.0.1:5000/protected
// 401 {"code":"token_missing",…}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, tokenLocation: "cookies", implicitRefresh: true });
const { jwtRequired, getAuth, setAccessCookies, unsetJwtCookies, errorHandler } = expressJwt(jwt);

const app = express();
app.use(express.json());
app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (typeof username !== "string") return res.sendStatus(400);
  const { access_token } = await jwt.createTokenPair(username); // opens a session; the refresh token is not needed
  await setAccessCookies(res, access_token);
  return res.sendStatus(204);
});
app.get("/protected", jwtRequired(), (req, res) => {
  res.json({ logged_in_as: getAuth(req).identity });
});
app.post("/logout", jwtRequired(), async (req, res) => {
  const { sessionId } = getAuth(req);
  if (sessionId) await jwt.revokeSession(sessionId);
  await unsetJwtCookies(res);
  res.sendStatus(204);
});
app.use(errorHandler());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
