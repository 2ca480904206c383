// Shows refresh and logout with cookies in one line, and the script that a page needs for them.
//
// $ curl -c jar --json '{"username":"ada"}' 127.0.0.1:5000/login
// 200 {"expires_in":900}
// Set-Cookie: __Host-csrf_refresh=$CSRF; …
// $ curl 127.0.0.1:5000/
// 200 <!doctype html>…
// $ curl -b jar -X POST -H "X-CSRF-TOKEN: $CSRF" -H "Sec-Fetch-Site: cross-site" 127.0.0.1:5000/auth/refresh
// 403 {"code":"csrf_origin",…}
// $ curl -b jar -c jar -X POST -H "X-CSRF-TOKEN: $CSRF" 127.0.0.1:5000/auth/refresh
// 200 {"expires_in":900}
// $ curl -b jar -c jar -X POST -H "X-CSRF-TOKEN: $CSRF" 127.0.0.1:5000/auth/logout
// 204
// Set-Cookie: __Host-refresh_token=; Path=/; Max-Age=0; …
// $ curl -b jar 127.0.0.1:5000/protected
// 401 {"code":"token_missing",…}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager, jwtRoutes } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, tokenLocation: "cookies" });
const { jwtRequired, getAuth, sendTokens, mount } = expressJwt(jwt);

const app = express();
app.use("/auth", mount(jwtRoutes(jwt)));
app.use(express.json());
app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (typeof username === "string") await sendTokens(res, await jwt.createTokenPair(username));
  else res.sendStatus(400);
});
app.get("/protected", jwtRequired(), (req, res) => void res.json({ logged_in_as: getAuth(req).identity }));

const PAGE = `<!doctype html><button onclick="show()">Who am I?</button><script>
const csrf = (kind) => document.cookie.match("__Host-csrf_" + kind + "=([^;]*)")?.[1] ?? "";
const post = (path, kind) => fetch(path, { method: "POST", headers: { "X-CSRF-TOKEN": csrf(kind) },
  signal: AbortSignal.timeout(4000) });
let renewing; // one refresh at a time; no answer: the same again, twice
const renew = (left = 2) => post("/auth/refresh", "refresh").catch((e) => left ? renew(left - 1) : Promise.reject(e));
async function ask(path) {
  const answer = await fetch(path);
  if (answer.status !== 401) return answer;
  const { ok } = await (renewing ??= renew().finally(() => { renewing = undefined; }));
  return ok ? fetch(path) : answer; // not ok: show the login
}
const show = async () => alert(await (await ask("/protected")).text());
</script>`;
app.get("/", (_req, res) => void res.type("html").send(PAGE));
app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
