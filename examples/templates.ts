// Shows the user of the token in HTML templates, under the name `current_user`.
//
// $ curl -c jar -d "username=ada" 127.0.0.1:5000/login
// 303
// $ curl -b jar 127.0.0.1:5000/
// 200 <h1>Hello Ada &lt;Lovelace&gt;</h1>
// $ curl 127.0.0.1:5000/
// 200 <h1>Hello guest</h1>

import { randomBytes } from "node:crypto";
import { Eta } from "eta";
import express from "express";
import { JWTManager } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";

const names = new Map([["ada", "Ada <Lovelace>"]]);
const page = "<h1>Hello <%= it.current_user ? it.current_user.name : 'guest' %></h1>";

const jwt = new JWTManager({
  secretKey: process.env.JWT_SECRET_KEY ?? randomBytes(48).toString("base64url"),
  tokenLocation: "cookies",
  loaders: {
    userLookup: (_header, { sub }) => {
      const name = names.get(sub);
      return name === undefined ? undefined : { name };
    },
  },
});
const { jwtRequired, setAccessCookies } = expressJwt(jwt, { templates: true });

const app = express();
app.use(express.urlencoded());

app.post("/login", async (req, res) => {
  const username = req.body?.username; // check the password here
  if (names.has(username)) await setAccessCookies(res, await jwt.createAccessToken(username));
  res.redirect(303, "/");
});

app.get("/", jwtRequired({ optional: true }), (_req, res) => {
  // res.render() gives res.locals to the view engine by itself.
  res.send(new Eta().renderString(page, res.locals));
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
