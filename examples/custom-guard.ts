// Shows guards of your own: one for administrators, and one that asks your own function.
//
// $ curl --json '{"username":"grace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$GRACE",…}
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ADA",…}
// $ curl -H "Authorization: Bearer $GRACE" 127.0.0.1:5000/admin
// 200 {"hello":"grace"}
// $ curl -H "Authorization: Bearer $ADA" 127.0.0.1:5000/admin
// 403 {"code":"insufficient_role","msg":"A required role is missing"}
// $ curl -H "Authorization: Bearer $ADA" 127.0.0.1:5000/paper
// 200 {"hello":"ada"}
// $ curl -H "Authorization: Bearer $GRACE" 127.0.0.1:5000/paper
// 403 {"code":"forbidden","msg":"Access was refused"}
// $ curl 127.0.0.1:5000/admin
// 401 {"code":"token_missing",…}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const administrators = new Set(["grace"]);
const subscribers = new Set(["ada"]);

const jwt = new JWTManager({
  secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url"),
  loaders: { additionalClaims: (identity) => ({ roles: administrators.has(identity) ? ["admin"] : [] }) },
});
const { jwtRequired, getAuth, sendTokens } = expressJwt(jwt);

/** The roles stand in the token: they are those of the login. */
const adminRequired = () => jwtRequired({ roles: "admin" });
/** Asked at each request, after all other checks. It may be async, and look into a database. */
const subscriptionRequired = () => jwtRequired({ verify: (auth) => subscribers.has(auth.identity) });

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (typeof username === "string") await sendTokens(res, await jwt.createTokenPair(username));
  else res.sendStatus(400);
});

app.get("/admin", adminRequired(), (req, res) => {
  res.json({ hello: getAuth(req).identity });
});

app.get("/paper", subscriptionRequired(), (req, res) => {
  res.json({ hello: getAuth(req).identity });
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
