// Shows a key for each tenant: a token of one tenant is worth nothing to another.
//
// $ curl --json '{"tenant":"acme","username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACME",…}
// $ curl -H "Authorization: Bearer $ACME" 127.0.0.1:5000/acme/files
// 200 {"files_of":"acme","for":"acme/ada"}
// $ curl -H "Authorization: Bearer $ACME" 127.0.0.1:5000/globex/files
// 403 {"msg":"This is the door of another tenant"}
// $ curl --json '{"tenant":"nobody","username":"ada"}' 127.0.0.1:5000/login
// 400 {"msg":"There is no such tenant"}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

/** Made anew at each start, for the example. Yours come from a vault or a database: both loaders may be async. */
const keys = new Map(["acme", "globex"].map((tenant) => [tenant, randomBytes(48).toString("base64url")]));

function keyOf(tenant: unknown): string {
  const key = keys.get(String(tenant));
  if (key === undefined) throw new Error("There is no such tenant");
  return key;
}

interface Member {
  tenant: string;
  username: string;
}
const jwt = new JWTManager({
  audience: false, // whose key it is says for whom the tokens are
  loaders: {
    userIdentity: ({ tenant, username }: Member) => `${tenant}/${username}`, // no two alike
    additionalClaims: ({ tenant }) => ({ tenant }),
    encodeKey: ({ tenant }) => keyOf(tenant),
    // Nothing is verified yet, anybody can write these claims: good for choosing among our own keys, and for no more.
    decodeKey: (_header, claims) => keyOf(claims.tenant),
  },
});
const { jwtRequired, getAuth, sendTokens } = expressJwt(jwt);

const app = express();
app.use(express.json());

app.post("/login", async (req, res) => {
  const { tenant, username } = req.body ?? {}; // check the password here
  if (keys.has(tenant)) await sendTokens(res, await jwt.createTokenPair({ tenant, username }));
  else res.status(400).json({ msg: "There is no such tenant" });
});

app.get("/:tenant/files", jwtRequired(), (req, res) => {
  const { claims, identity } = getAuth(req);
  if (claims.tenant === req.params.tenant) res.json({ files_of: claims.tenant, for: identity });
  else res.status(403).json({ msg: "This is the door of another tenant" });
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
