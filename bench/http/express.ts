import { createServer } from "node:http";
import express, { type RequestHandler } from "express";
import { expressJwt } from "../../src/adapters/express.ts";
import { answer, type Build, COOKIE, EMPTY, OPEN, PROTECTED, peer, peerSecret, type Site, USER } from "./site.ts";

type Options = Readonly<Record<string, unknown>>;
interface Passport {
  use(strategy: object): void;
  authenticate(name: string, options: Options): RequestHandler;
}
interface PassportJwt {
  readonly Strategy: new (
    options: Options,
    verify: (claims: unknown, done: (e: null, user: unknown) => void) => void,
  ) => object;
  readonly ExtractJwt: { fromAuthHeaderAsBearerToken(): unknown };
}

function middleware(site: Site): RequestHandler {
  if (site.variant === EMPTY) return (_req, _res, next) => next();
  const secret = peerSecret(site);
  if (!site.variant.startsWith("passport")) {
    const { expressjwt } = peer<{ expressjwt: (options: Options) => RequestHandler }>("express-jwt");
    return expressjwt({ secret, algorithms: ["HS256"] });
  }
  const passport = peer<Passport>("passport");
  const { Strategy, ExtractJwt } = peer<PassportJwt>("passport-jwt");
  const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
  passport.use(
    new Strategy({ jwtFromRequest, secretOrKey: secret, algorithms: ["HS256"] }, (claims, done) => done(null, claims)),
  );
  return passport.authenticate("jwt", { session: false });
}

export const build: Build = async (site) => {
  const app = express();
  app.all(OPEN, (_, res) => {
    res.json(answer(USER));
  });
  if (site.isOurs) {
    const { jwtRequired, getAuth } = expressJwt(site.manager);
    const reply: RequestHandler = (req, res) => {
      res.json(answer(getAuth(req).identity));
    };
    app.all(PROTECTED, jwtRequired({ locations: "headers" }), reply);
    app.all(COOKIE, jwtRequired({ locations: "cookies" }), reply);
  } else {
    app.all(PROTECTED, middleware(site), (req, res) => {
      const { auth, user } = req as { auth?: { sub: string }; user?: { sub: string } };
      res.json(answer((auth ?? user)?.sub ?? USER));
    });
  }
  return createServer(app);
};
