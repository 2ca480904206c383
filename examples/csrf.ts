// Shows a login by cookie in plain HTML: each form carries a CSRF value that no other site can know.
//
// $ curl -c jar -d "username=ada" 127.0.0.1:5000/login
// 303
// Location: /
// $ curl -b jar 127.0.0.1:5000/
// 200 …<input type="hidden" name="csrf_token" value="$CSRF">…
// $ curl -b jar -d "csrf_token=$CSRF&text=hello" 127.0.0.1:5000/post
// 200 ada wrote: hello
// $ curl -b jar -d "text=hello" 127.0.0.1:5000/post
// 403 {"code":"csrf_missing",…}
// $ curl -b jar -H "Origin: https://evil.example" -d "csrf_token=$CSRF&text=hello" 127.0.0.1:5000/post
// 403 {"code":"csrf_origin","msg":"Request comes from another site"}

import { randomBytes } from "node:crypto";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const jwt = new JWTManager({
  secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url"),
  tokenLocation: "cookies",
  csrfCheckForm: true, // besides the header X-CSRF-TOKEN, for scripts
});
const { jwtRequired, tryGetAuth, getAuth, setAccessCookies } = expressJwt(jwt);

const app = express();
app.use(express.urlencoded());

app.get("/", jwtRequired({ optional: true }), (req, res) => {
  const { identity, claims } = tryGetAuth(req);
  const form = (action: string, ...fields: string[]) =>
    `<form method="post" action="${action}">${fields.join("")}<button>Send</button></form>`;
  if (identity === null) {
    res.send(form("/login", '<input name="username">'));
    return;
  }
  res.send(form("/post", '<input name="text">', `<input type="hidden" name="csrf_token" value="${claims.csrf}">`));
});

app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (typeof username === "string") await setAccessCookies(res, await jwt.createAccessToken(username));
  res.redirect(303, "/");
});

app.post("/post", jwtRequired(), (req, res) => {
  res.type("text").send(`${getAuth(req).identity} wrote: ${req.body?.text}`);
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
