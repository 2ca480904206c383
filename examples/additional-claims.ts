// Shows how to put claims of your own into tokens: for one login, and for all of them.
//
// $ curl --json '{"username":"ada","team":"engines"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/claims
// 200 {"identity":"ada","team":"engines","initial":"A"}

import { randomBytes } from "node:crypto";
import Fastify from "fastify";
import { JWTManager } from "jwt-extended";
import { fastifyJwt } from "jwt-extended/fastify";

const jwt = new JWTManager({
  secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url"),
  loaders: {
    // For every token. Whoever holds a token can read its claims: put no secrets in.
    additionalClaims: (identity) => ({ initial: identity.charAt(0).toUpperCase() }),
  },
});
const { jwtRequired, getAuth, sendTokens } = fastifyJwt(jwt);

const app = Fastify();

app.post<{ Body: { username: string; team: string } }>("/login", async (request, reply) => {
  const { username, team } = request.body; // check the password here
  await sendTokens(reply, await jwt.createTokenPair(username, { claims: { team } }));
  return reply;
});

app.get("/claims", jwtRequired(), async (request) => {
  const { identity, claims } = getAuth(request);
  return { identity, team: claims.team, initial: claims.initial };
});

await app.listen({ port: Number(process.env.PORT ?? 5000) });
