// Shows the shortest useful application in bare Node: a login, and a route that needs its token.
//
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"Bearer","expires_in":900}
// Cache-Control: no-store
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl 127.0.0.1:5000/protected
// 401 {"code":"token_missing","msg":"No token was sent. Looked for the header \"Authorization: Bearer <token>\"."}
// WWW-Authenticate: Bearer

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { JWTManager } from "jwt-extended";
import { nodeJwt } from "jwt-extended/node";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY });
const { jwtRequired, sendTokens } = nodeJwt(jwt);

const protectedRoute = jwtRequired((_req, res, auth) => {
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ logged_in_as: auth.identity }));
});

const answer = async (req: IncomingMessage, res: ServerResponse) => {
  const route = `${req.method} ${req.url}`;
  if (route === "GET /protected") return protectedRoute(req, res);
  if (route !== "POST /login") return res.writeHead(404).end();

  const { username, password } = ((await json(req)) ?? {}) as Record<string, unknown>;
  // Look the user up in your database here.
  if (username !== "ada" || password !== "lovelace") return res.writeHead(401).end("Wrong username or password");
  await sendTokens(res, await jwt.createTokenPair(username));
};

// A promise that nobody catches would end the process.
const server = createServer((req, res) => answer(req, res).catch(() => res.writeHead(500).end()));
server.listen(5000);
