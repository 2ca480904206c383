// Shows a route for those who have just typed their password: a renewed token does not open it.
//
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$FRESH","refresh_token":"$REFRESH",…}
// $ curl --json '{"password":"new"}' -H "Authorization: Bearer $FRESH" 127.0.0.1:5000/password
// 200 {"changed":"ada"}
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/refresh
// 200 {"access_token":"$RENEWED",…}
// $ curl --json '{"password":"new"}' -H "Authorization: Bearer $RENEWED" 127.0.0.1:5000/password
// 401 {"code":"token_not_fresh","msg":"A more recent login is required"}
// WWW-Authenticate: Bearer error="insufficient_user_authentication", max_age="0"
// $ curl -H "Authorization: Bearer $RENEWED" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}

import { randomBytes } from "node:crypto";
import Fastify from "fastify";
import { JWTManager } from "jwt-extended";
import { fastifyJwt } from "jwt-extended/fastify";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { jwtRequired, getAuth, sendTokens, plugin } = fastifyJwt(jwt);

const app = Fastify();
app.register(plugin); // answers the errors that refreshTokenPair throws

app.post<{ Body: { username: string } }>("/login", async (request, reply) => {
  const pair = await jwt.createTokenPair(request.body.username, { fresh: true }); // check the password here
  await sendTokens(reply, pair);
  return reply;
});

app.post<{ Body: { refresh_token: string } }>("/refresh", async (request, reply) => {
  await sendTokens(reply, await jwt.refreshTokenPair(request.body.refresh_token));
  return reply;
});

app.get("/protected", jwtRequired(), async (request) => ({ logged_in_as: getAuth(request).identity }));

app.post("/password", jwtRequired({ fresh: true }), async (request) => ({ changed: getAuth(request).identity }));

await app.listen({ port: Number(process.env.PORT ?? 5000) });
