// Shows an API that takes the tokens of a login service it does not own, such as an OpenID Connect provider.
//
// $ curl -X POST 127.0.0.1:5000/provider
// 200 {"access_token":"$THEIRS"}
// $ curl -H "Authorization: Bearer $THEIRS" 127.0.0.1:5000/orders
// 200 {"orders_of":"provider|7","key":"2025-11"}
// $ curl -X POST 127.0.0.1:5000/provider?audience=https://other.example
// 200 {"access_token":"$OTHER"}
// $ curl -H "Authorization: Bearer $OTHER" 127.0.0.1:5000/orders
// 401 {"code":"token_audience","msg":"Token is meant for another audience"}

import { generateKeyPairSync } from "node:crypto";
import express from "express";
import { SignJWT } from "jose";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

// The provider's key set. Yours is what the address `jwks_uri` of the provider answers: paste it, or load it at start.
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicKey = { keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "2025-11", alg: "RS256", use: "sig" }] };

const jwt = new JWTManager({
  algorithm: "RS256",
  publicKey,
  issuer: "https://provider.example/",
  audience: "https://api.example", // tokens for other services of the same provider are refused
});
const { jwtRequired, getAuth } = expressJwt(jwt);

const app = express();

app.get("/orders", jwtRequired(), (req, res) => {
  const { identity, header } = getAuth(req);
  res.json({ orders_of: identity, key: header.kid });
});

// Stands for the provider, which would be elsewhere.
app.post("/provider", async (req, res) => {
  const token = new SignJWT({ scope: "orders" })
    .setProtectedHeader({ alg: "RS256", kid: "2025-11" })
    .setIssuer("https://provider.example/")
    .setAudience(String(req.query.audience ?? "https://api.example"))
    .setSubject("provider|7")
    .setIssuedAt()
    .setExpirationTime("10m");
  res.json({ access_token: await token.sign(pair.privateKey) });
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
