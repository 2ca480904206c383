import type { AddressInfo } from "node:net";
import { cookieLines, headerLines, type Lines } from "../requests.ts";
import { TOKENS } from "../tokens.ts";
import { startProfile } from "./profile.ts";
import { type Build, type Framework, makeSite, OURS, USER } from "./site.ts";

/** What a server tells its load first: where it is, and header lines that get into its routes. */
export interface Ready {
  readonly port: number;
  readonly header: readonly Lines[];
  readonly cookie: readonly Lines[];
}

/** What may be asked of a server: the CPU time spent so far, in microseconds, or to begin or end a profile. */
export type Asked = "cpu" | "profile";

const BUILDERS: Readonly<Record<Framework, () => Promise<{ readonly build: Build }>>> = {
  express: () => import("./express.ts"),
  fastify: () => import("./fastify.ts"),
  hono: () => import("./hono.ts"),
  koa: () => import("./koa.ts"),
  node: () => import("./node.ts"),
  web: () => import("./web.ts"),
};

const [framework, variant = ""] = process.argv.slice(2);
const site = makeSite(variant);
const { build } = await BUILDERS[framework as Framework]();
const server = await build(site);
// The load comes back to a route after all the others had their turn, which takes minutes where the framework is slow.
server.keepAliveTimeout = 0;

const logins = await Promise.all(Array.from({ length: TOKENS }, () => site.manager.createTokenPair(USER)));
const tokens = logins.map((login) => login.access_token);
const header = tokens.map(headerLines);
const cookie =
  variant === OURS.cookies ? await Promise.all(tokens.map((token) => cookieLines(site.manager, token))) : [];

server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ port, header, cookie } satisfies Ready);
});
let stopProfile: ReturnType<typeof startProfile> | undefined;
process.on("message", async (asked: Asked) => {
  if (asked === "profile") {
    const stop = stopProfile;
    stopProfile = stop ? undefined : startProfile();
    return process.send?.(stop ? await stop() : {});
  }
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.on("disconnect", () => process.exit());
