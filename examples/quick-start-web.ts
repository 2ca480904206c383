// Shows the shortest useful application with the Web Request and Response: a login, and a route that needs its token.
//
// $ curl --json '{"username":"ada","password":"lovelace"}' 127.0.0.1:5000/login
// 200 {"access_token":"$ACCESS","refresh_token":"$REFRESH","token_type":"Bearer","expires_in":900}
// Cache-Control: no-store
// $ curl -H "Authorization: Bearer $ACCESS" 127.0.0.1:5000/protected
// 200 {"logged_in_as":"ada"}
// $ curl 127.0.0.1:5000/protected
// 401 {"code":"token_missing","msg":"No token was sent. Looked for the header \"Authorization: Bearer <token>\"."}
// WWW-Authenticate: Bearer

import { serve } from "@hono/node-server";
import { JWTManager } from "jwt-extended";
import { webJwt } from "jwt-extended/web";

const jwt = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY });
const { jwtRequired, sendTokens } = webJwt(jwt);

const login = async (request: Request): Promise<Response> => {
  const { username, password } = await request.json();
  // Look the user up in your database here.
  if (username !== "ada" || password !== "lovelace") {
    return Response.json({ msg: "Wrong username or password" }, { status: 401 });
  }
  return sendTokens(await jwt.createTokenPair(username));
};

const protectedRoute = jwtRequired((_request, auth) => Response.json({ logged_in_as: auth.identity }));

const fetch = async (request: Request): Promise<Response> => {
  const route = `${request.method} ${new URL(request.url).pathname}`;
  if (route === "POST /login") return login(request);
  if (route === "GET /protected") return protectedRoute(request);
  return new Response("Not found", { status: 404 });
};

// On Node. Bun and Deno serve a fetch function themselves; in Next.js or SvelteKit export it as a route.
serve({ fetch, port: 5000 });
