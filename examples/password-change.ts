// Shows a change of the password that ends every login, and opens a new one for whoever changed it.
//
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$STOLEN","refresh_token":"$REFRESH",…}
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$MINE",…}
// $ curl -H "Authorization: Bearer $MINE" --json '{"old":"a guess","new":"countess"}' 127.0.0.1:5000/password
// 403 {"msg":"Wrong password"}
// $ curl -H "Authorization: Bearer $MINE" --json '{"old":"lovelace","new":"countess"}' 127.0.0.1:5000/password
// 200 {"access_token":"$NEW",…}
// $ curl -H "Authorization: Bearer $NEW" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl -H "Authorization: Bearer $STOLEN" 127.0.0.1:5000/protected
// 401 {"code":"token_revoked","msg":"Token has been revoked"}
// $ curl --json '{"refresh_token":"'$REFRESH'"}' 127.0.0.1:5000/auth/refresh
// 401 {"code":"session_ended","msg":"Session has ended"}
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 401 {"msg":"Wrong username or password"}

import { randomBytes } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import Fastify from "fastify";
import { JWTManager, jwtRoutes } from "jwt-extended";
import { fastifyJwt } from "jwt-extended/fastify";

const passwords = new Map([["ada", await hash("lovelace")]]); // in your application, a database
const nobody = await hash(randomBytes(16)); // so that an unknown name takes as long as a wrong password

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { plugin, jwtRequired, getAuth, sendTokens, mount } = fastifyJwt(jwt);

const app = Fastify();
await app.register(plugin);
await app.register(mount(jwtRoutes(jwt)), { prefix: "/auth" });

app.post("/login", async (request, reply) => {
  const { username, password } = (request.body ?? {}) as Record<string, unknown>;
  const right = await verify(passwords.get(String(username)) ?? nobody, String(password));
  if (!right) return reply.code(401).send({ msg: "Wrong username or password" });
  return sendTokens(reply, await jwt.createTokenPair(String(username)));
});
app.post("/password", jwtRequired(), async (request, reply) => {
  const { identity } = getAuth(request);
  const { old, new: next } = (request.body ?? {}) as Record<string, unknown>;
  const right = await verify(passwords.get(identity) ?? nobody, String(old));
  if (!right || typeof next !== "string") return reply.code(403).send({ msg: "Wrong password" });
  passwords.set(identity, await hash(next));
  await jwt.revokeSubject(identity); // every login up to now, whoever has it
  return sendTokens(reply, await jwt.createTokenPair(identity)); // begins after it
});
app.get("/protected", jwtRequired(), async (request) => ({ logged_in_as: getAuth(request).identity }));

await app.listen({ port: Number(process.env.PORT ?? 5000), host: "127.0.0.1" });
