// Shows an application that is closed by default: every route needs a token unless it is named as public.
//
// $ curl 127.0.0.1:5000/health
// 200 {"ok":true}
// $ curl --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS",…}
// $ curl 127.0.0.1:5000/anything
// 401 {"code":"token_missing",…}
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/anything
// 200 {"hello":"ada"}

import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { JWTManager } from "jwt-extended";
import { webJwt } from "jwt-extended/web";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url") });
const { protect, sendTokens } = webJwt(jwt);

const fetch = protect({ public: ["GET /health", "POST /login"] }, async (request: Request, auth) => {
  if (auth) return Response.json({ hello: auth.identity });
  // Without a token, only the public routes and the preflights of CORS get here.
  const route = `${request.method} ${new URL(request.url).pathname}`;
  if (route === "GET /health") return Response.json({ ok: true });
  if (route !== "POST /login") return new Response(null, { status: 404 });
  const { username } = await request.json(); // check the password here
  return sendTokens(await jwt.createTokenPair(username));
});

serve({ fetch, port: Number(process.env.PORT ?? 5000), hostname: "127.0.0.1" });
