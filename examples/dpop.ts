// Shows tokens that are bound to a key of the client (DPoP): whoever steals one can do nothing with it.
//
// # A client that has the key. The routes under /client play it here:
// $ curl -X POST 127.0.0.1:5000/client/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"DPoP","expires_in":900}
// $ curl -H "Authorization: DPoP $ACCESS" 127.0.0.1:5000/client/protected
// 200 {"logged_in_as":"ada"}
// $ curl -X POST -H "Authorization: DPoP $REFRESH" 127.0.0.1:5000/client/auth/refresh
// 200 {"access_token":"$RENEWED","refresh_token":"…","token_type":"DPoP","expires_in":900}
// $ curl -H "Authorization: DPoP $RENEWED" 127.0.0.1:5000/client/protected
// 200 {"logged_in_as":"ada"}
// # Somebody who has the tokens, and not the key:
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 401 {"code":"token_bound","msg":"Token is bound to a key, and cannot be used without a proof"}
// WWW-Authenticate: DPoP error="invalid_token", algs="ES256 EdDSA"
// $ curl -H "Authorization: DPoP $ACCESS" 127.0.0.1:5000/protected
// 401 {"code":"dpop_proof_missing","msg":"A DPoP proof is required"}
// $ curl -X POST -H "Authorization: DPoP $REFRESH" 127.0.0.1:5000/auth/refresh
// 401 {"code":"dpop_proof_missing","msg":"A DPoP proof is required"}

import { createHash, randomBytes, randomUUID } from "node:crypto";
import express, { type RequestHandler } from "express";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { JWTManager, jwtRoutes } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const origin = "http://127.0.0.1:5000"; // as clients write it
const jwt = new JWTManager({ secretKey, publicOrigin: origin, dpop: { required: true } });
const { jwtRequired, getAuth, sendTokens, verifyDpopProof, mount, errorHandler } = expressJwt(jwt);

const { publicKey, privateKey } = await generateKeyPair("ES256");
const header = { alg: "ES256", typ: "dpop+jwt", jwk: await exportJWK(publicKey) };
const client: RequestHandler = async ({ method, path, socket, headers: { authorization = "" } }, res) => {
  const ath = createHash("sha256").update(authorization.replace("DPoP ", "")).digest("base64url");
  const proof = new SignJWT({ htm: method, htu: `${origin}${path}`, ath, jti: randomUUID() }).setIssuedAt();
  const headers = { authorization, dpop: await proof.setProtectedHeader(header).sign(privateKey) };
  const answer = await fetch(`http://127.0.0.1:${socket.localPort}${path}`, { method, headers });
  res.status(answer.status).json(await answer.json());
};

const app = express();
app.use("/client", client);
app.use("/auth", mount(jwtRoutes(jwt)));

app.post("/login", async (req, res) => {
  const username = "ada"; // check the password here, and the proof after it
  await sendTokens(res, await jwt.createTokenPair(username, { jkt: await verifyDpopProof(req) }));
});
app.get("/protected", jwtRequired(), (req, res) => {
  res.json({ logged_in_as: getAuth(req).identity });
});

app.use(errorHandler());
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
