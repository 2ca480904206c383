// Shows the shortest useful application in Fastify: a login, and a route that needs its token.
//
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"Bearer","expires_in":900}
// Cache-Control: no-store
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl 127.0.0.1:5000/protected
// 401 {"code":"token_missing","msg":"No token was sent. Looked for the header \"Authorization: Bearer <token>\"."}
// WWW-Authenticate: Bearer

import Fastify from "fastify";
import { JWTManager } from "jwt-extended";
import { fastifyJwt } from "jwt-extended/fastify";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY });
const { jwtRequired, getAuth, sendTokens } = fastifyJwt(jwt);

const app = Fastify();

app.post("/login", async (request, reply) => {
  const { username, password } = (request.body ?? {}) as Record<string, unknown>;
  // Look the user up in your database here.
  if (username !== "ada" || password !== "lovelace") {
    return reply.code(401).send({ msg: "Wrong username or password" });
  }
  await sendTokens(reply, await jwt.createTokenPair(username));
  return reply;
});

app.get("/protected", jwtRequired(), async (request) => ({ logged_in_as: getAuth(request).identity }));

await app.listen({ port: 5000 });
