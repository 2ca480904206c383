// Shows a plain page that stays logged in with jwt-extended/client: the tokens are in cookies that no script can read.
// The page is in the folder page. In a clone of the repository:
//
//   npx tsx examples/client-html/server.ts
//
// Open http://127.0.0.1:5000 in two tabs. The password is "lovelace".

import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import express from "express";
import { JWTManager, jwtRoutes } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const secretKey = process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url");
const jwt = new JWTManager({ secretKey, tokenLocation: "cookies", accessTokenExpires: "5m" });
const { jwtRequired, getAuth, sendTokens, mount, errorHandler } = expressJwt(jwt);

const app = express();
app.use((_req, res, next) => {
  res.set("Content-Security-Policy", "default-src 'self'");
  next();
});
app.use("/auth", mount(jwtRoutes(jwt)));
app.use(express.json());

app.post("/login", async (req, res) => {
  const { username, password } = req.body ?? {};
  if (typeof username !== "string" || password !== "lovelace") res.status(401).json({ msg: "Wrong name or password" });
  else await sendTokens(res, await jwt.createTokenPair(username, { fresh: true }));
});
app.get("/me", jwtRequired(), (req, res) => void res.json({ id: getAuth(req).identity }));
app.post("/transfer", jwtRequired(), (_req, res) => void res.json({ sent: 10 }));
// Only with a token that comes straight from a login.
app.delete("/account", jwtRequired({ fresh: true }), (_req, res) => void res.json({ closed: true }));

// The part for browsers, as one script. Where a page has a bundler, it imports "jwt-extended/client" itself.
const here = fileURLToPath(new URL(".", import.meta.url));
const stdin = { contents: 'export * from "jwt-extended/client"', resolveDir: here };
const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: "esm", write: false });
app.get("/client.js", (_req, res) => void res.type("js").send(outputFiles[0]?.text));
app.use(express.static(`${here}page`));
app.use(errorHandler());

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
