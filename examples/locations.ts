// Shows the four places where a token can be: a header, a cookie, the query string and a JSON body.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/anywhere
// 200 {"location":"headers"}
// $ curl -b "__Host-access_token=$ACCESS" 127.0.0.1:5000/anywhere
// 200 {"location":"cookies"}
// $ curl -X POST -b "__Host-access_token=$ACCESS" 127.0.0.1:5000/anywhere
// 403 {"code":"csrf_missing",…}
// $ curl 127.0.0.1:5000/anywhere?jwt=$ACCESS
// 200 {"location":"query_string"}
// $ curl --json '{"access_token":"'$ACCESS'"}' 127.0.0.1:5000/anywhere
// 200 {"location":"json"}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/anywhere?jwt=$ACCESS
// 400 {"code":"invalid_request","msg":"The request carries more than one token: send it in one place only"}
// $ curl 127.0.0.1:5000/header-only?jwt=$ACCESS
// 401 {"code":"token_missing",…}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const jwt = new JWTManager({
  secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url"),
  // Only what is listed is looked at. Addresses end up in logs and histories: leave query_string out if you can.
  tokenLocation: ["headers", "cookies", "query_string", "json"],
});
const { jwtRequired, getAuth, sendTokens } = expressJwt(jwt);

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (typeof username === "string") await sendTokens(res, await jwt.createTokenPair(username));
  else res.sendStatus(400);
});

app.all("/anywhere", jwtRequired(), (req, res) => {
  res.json({ location: getAuth(req).location });
});

app.get("/header-only", jwtRequired({ locations: "headers" }), (req, res) => {
  res.json({ location: getAuth(req).location });
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
