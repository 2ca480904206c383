import { createSecretKey, randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { JWTManager } from "../../src/manager.ts";

/** What every route answers with. */
export interface Answer {
  readonly logged_in_as: unknown;
}
export const answer = (identity: unknown): Answer => ({ logged_in_as: identity });

/** All tokens are of users of this length, so that every answer has the same. */
export const USER = "user-1234567";
export const OPEN = "/open";
export const PROTECTED = "/protected";
export const COOKIE = "/cookie";

/** The ways ours is configured, by the words of the results. */
export const OURS = {
  plain: "cache",
  uncached: "no cache",
  user: "cache, userLookup from memory",
  ambient: "cache, ambientContext",
  cookies: "cache, cookies with CSRF",
} as const;

/** A middleware that lets everything pass: no guard can be cheaper. */
export const EMPTY = "an empty middleware";

/** The middlewares that are usual with a framework, or the library by hand where there is none. */
export const PEERS = {
  express: ["express-jwt (text secret)", "express-jwt (KeyObject)", "passport-jwt (text secret)"],
  fastify: ["@fastify/jwt", "@fastify/jwt, cache"],
  hono: ["hono/jwt (text secret)", "hono/jwt (CryptoKey)"],
  koa: ["koa-jwt (text secret)", "koa-jwt (KeyObject)"],
  node: ["fast-jwt by hand", "fast-jwt by hand, cache"],
  web: ["jose by hand (CryptoKey)"],
} as const;
export type Framework = keyof typeof PEERS;

/** What a server is built of. */
export interface Site {
  readonly variant: string;
  /** Whether ours guards the routes. */
  readonly isOurs: boolean;
  readonly manager: Manager;
  readonly secret: string;
}
export type Manager = JWTManager<unknown, Record<string, unknown>, string>;
export type Build = (site: Site) => Promise<Server>;

const users = new Map([[USER, Object.freeze({ id: USER, name: "Ada" })]]);

const MORE: Readonly<Record<string, object>> = {
  [OURS.uncached]: { verifyCache: false },
  [OURS.user]: { loaders: { userLookup: (_: unknown, claims: { sub: string }) => users.get(claims.sub) } },
  [OURS.ambient]: { ambientContext: true },
  [OURS.cookies]: { tokenLocation: ["headers", "cookies"] },
};

/** What a variant of a server needs. */
export function makeSite(variant: string): Site {
  const secret = randomBytes(48).toString("base64");
  const manager = new JWTManager({ secretKey: secret, warn: () => {}, ...MORE[variant] }) as unknown as Manager;
  return { variant, isOurs: Object.values<string>(OURS).includes(variant), manager, secret };
}

/** The secret as a peer takes it: as text, or as a `KeyObject` where the variant says so. */
export const peerSecret = ({ variant, secret }: Site) =>
  variant.includes("KeyObject") ? createSecretKey(secret, "utf8") : secret;

/** A package that is loaded by `require`: its types would change those of the framework for the whole program. */
export const peer = createRequire(import.meta.url) as <T>(name: string) => T;
