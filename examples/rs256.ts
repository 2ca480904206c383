// Shows tokens signed with RS256: one service holds the private key, another has only the public one and checks.
//
// $ curl -X POST 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/orders
// 200 {"orders_of":"ada","signed_with":"RS256"}
// $ curl 127.0.0.1:5000/orders
// 401 {"code":"token_missing",…}

import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { JWTManager } from "jwt-extended";
import { nodeJwt } from "jwt-extended/node";

// Made anew at each start, for the example. Yours come from a file or a vault, as PEM text or JWK:
// openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out private.pem
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });

// The service where users log in.
const login = new JWTManager({ algorithm: "RS256", privateKey, issuer: "https://login.example", audience: "shop" });
const { sendTokens } = nodeJwt(login);

// A service that only checks: it must say whose tokens it takes, and that they are meant for it.
const shop = new JWTManager({ algorithm: "RS256", publicKey, issuer: "https://login.example", audience: "shop" });
const { jwtRequired } = nodeJwt(shop);

const orders = jwtRequired((_req, res, { identity, header }) => {
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ orders_of: identity, signed_with: header.alg }));
});

const answer = async (req: IncomingMessage, res: ServerResponse) => {
  const route = `${req.method} ${req.url}`;
  if (route === "GET /orders") return orders(req, res);
  if (route === "POST /login") return sendTokens(res, await login.createTokenPair("ada")); // check the password here
  res.writeHead(404).end();
};

const server = createServer((req, res) => answer(req, res).catch(() => res.writeHead(500).end()));
server.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
