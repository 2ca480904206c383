import express, { type Express, type Request } from "express";
import { expressJwt } from "jwt-extended/express";
import { answerError, methodNotAllowed, notFound, onlyJson, securityHeaders } from "./answers.ts";
import { canonicalName, readCredentials } from "./credentials.ts";
import type { Passwords } from "./passwords.ts";
import { Refusal } from "./refusal.ts";
import type { Tokens } from "./tokens.ts";
import type { Users } from "./users.ts";

const ROUTES = [
  {
    method: "POST",
    path: "/register",
    says: 'makes a user of {"username", "password"} and logs in: 201 and a token pair',
  },
  { method: "POST", path: "/login", says: 'takes {"username", "password"}: 201 and a token pair' },
  { method: "POST", path: "/refresh", says: "with the refresh token: a new access token" },
  { method: "POST", path: "/logout", says: "with either token: ends the login, 204" },
  { method: "GET", path: "/protected", says: "with the access token: who is logged in" },
  { method: "GET", path: "/admin", says: "with the access token of an administrator" },
];

/** What the routes work with. */
export interface Parts {
  readonly tokens: Tokens;
  readonly users: Users;
  readonly passwords: Passwords;
}

/** The server's routes. */
export function createApp({ tokens, users, passwords }: Parts): Express {
  const { jwtRequired, getAuth, sendTokens, errorHandler } = expressJwt(tokens);
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(securityHeaders);
  // Bodies come as bytes, so that `readCredentials` can be stricter than a usual JSON parser.
  app.use(express.raw({ type: () => true, limit: "64kb", inflate: false }));

  app
    .route("/")
    .get((_req, res) => void res.json({ routes: ROUTES }))
    .all(methodNotAllowed("GET, HEAD"));

  app
    .route("/register")
    .post(onlyJson, async (req, res) => {
      const { username, password } = readCredentials(req.body);
      const name = canonicalName(username);
      if (name === undefined) {
        throw new Refusal(400, "username_invalid", "A username has 3 to 32 letters a-z, digits, dots, _ and -");
      }
      // Hashed before the name is looked at: time does not tell which names are taken.
      const user = users.add(name, await passwords.hash(password));
      if (user === undefined) throw new Refusal(409, "username_taken", "This username is taken");
      await sendTokens(res, await tokens.createTokenPair(user.id, { fresh: true }), { status: 201 });
    })
    .all(methodNotAllowed("POST"));

  app
    .route("/login")
    .post(onlyJson, async (req, res) => {
      const { username, password } = readCredentials(req.body);
      const name = canonicalName(username);
      const user = name === undefined ? undefined : users.byName(name);
      const right = await passwords.verify(user?.passwordHash, password);
      // One answer for an unknown user and a wrong password: it must not tell who has an account.
      if (!user || !right) {
        const challenge = { "WWW-Authenticate": "Bearer" };
        throw new Refusal(401, "invalid_credentials", "Wrong username or password", challenge);
      }
      if (passwords.isOutdated(user.passwordHash)) users.setPasswordHash(user.id, await passwords.hash(password));
      await sendTokens(res, await tokens.createTokenPair(user.id, { fresh: true }), { status: 201 });
    })
    .all(methodNotAllowed("POST"));

  app
    .route("/refresh")
    .post(jwtRequired({ refresh: true }), async (req, res) => {
      await sendTokens(res, await tokens.refreshTokenPair(bearerOf(req)));
    })
    .all(methodNotAllowed("POST"));

  app
    .route("/logout")
    // Either token will do, and logging out twice is fine.
    .post(jwtRequired({ verifyType: false, skipRevocationCheck: true }), async (req, res) => {
      const { sessionId } = getAuth(req);
      if (sessionId !== undefined) await tokens.revokeSession(sessionId);
      res.sendStatus(204);
    })
    .all(methodNotAllowed("POST"));

  app
    .route("/protected")
    .get(jwtRequired(), (req, res) => void res.json({ logged_in_as: getAuth(req).user.name }))
    .all(methodNotAllowed("GET, HEAD"));

  app
    .route("/admin")
    // The token says so, and the database still does: whoever lost the role is out before the token ends.
    .get(jwtRequired({ roles: "admin", verify: ({ user }) => user.role === "admin" }), (req, res) => {
      res.json({ administrator: getAuth(req).user.name });
    })
    .all(methodNotAllowed("GET, HEAD"));

  app.use(notFound);
  app.use(errorHandler());
  app.use(answerError);
  return app;
}

/** The token that the guard has just accepted: it let exactly one `Bearer` credential pass. */
function bearerOf(req: Request): string {
  return (req.get("authorization") ?? "").trim().split(/\s+/)[1] ?? "";
}
