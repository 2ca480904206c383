import { beforeAll, describe, expect, it } from "vitest";
import { type Client, MODES, signIn } from "./clients.ts";
import { type Running, startServer } from "./server.ts";

const ADMIN = { ADMIN_USERNAME: "root", ADMIN_PASSWORD: "a password of the root" };
/** What strangers may ask. */
const OPEN =
  /^(GET \/(health\/\w+|config\.json|\.well-known\/.*|assets\/.*|favicon.*)?|POST \/(register|login|logout|setup))$/;

interface Row {
  readonly method: string;
  readonly path: string;
}
let server: Running;
let guarded: readonly Row[];
beforeAll(async () => {
  server = await startServer({ env: ADMIN });
  const { routes } = (await server.send({})).json() as { routes: readonly Row[] };
  guarded = routes
    .filter(({ method, path }) => !OPEN.test(`${method} ${path}`))
    .map(({ method, path }) => ({ method, path: path.replaceAll(/:\w+/g, "x") }));
});

/** Other ways to write an address, by which a guard may be passed while the route is still found. */
const spelled = (path: string): string[] => [
  `${path}/`,
  `/${path}`,
  `/.${path}`,
  `/x/..${path}`,
  `${path}/.`,
  `${path}//`,
  `${path}/..;/x`,
  `${path};x=y`,
  `${path}%00`,
  `${path}%20`,
  `${path}.json`,
  `${path}%2f`,
  `${path}?access_token=x`,
  `${path}#x`,
  path.toUpperCase(),
  path.replace(/\w/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  path.replace("/", "/%2e/"),
  path.replace("/", "\\"),
  `http://127.0.0.1${path}`,
  `//127.0.0.1${path}`,
];

it("knows its guarded routes", () => {
  const listed = guarded.map(({ method, path }) => `${method} ${path}`);
  for (const one of ["GET /me", "POST /refresh", "POST /password", "GET /events", "GET /admin/events", "GET /fresh"])
    expect(listed).toContain(one);
  expect(listed.length).toBeGreaterThan(20);
});

it("without a token no spelling, method or header opens a guarded route", async () => {
  const opened: string[] = [];
  for (const { method, path } of guarded) {
    expect([path, (await server.send({ method, path })).status]).toEqual([path, 401]);
    const tries = [
      ...spelled(path).map((odd) => ({ method, path: odd })),
      ...["HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "get"].map((odd) => ({ method: odd, path })),
      { method, path, headers: [["X-HTTP-Method-Override", "GET"]] as const },
      { method: "POST", path: `${path}?_method=${method}` },
      ...["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Forwarded-Prefix"].map((name) => ({
        method,
        path: "/nowhere",
        headers: [[name, path]] as const,
      })),
    ];
    for (const one of tries) {
      const { status } = await server.send(one).catch(() => ({ status: 400 }));
      if (status < 400 || status >= 500) opened.push(`${one.method} ${one.path}: ${status}`);
    }
  }
  expect(opened).toEqual([]);
}, 60_000);

describe.each(MODES)("in %s mode", (mode) => {
  let user: Client;
  let root: Client;
  beforeAll(async () => {
    user = await signIn(server, mode, `paths-${mode}`);
    root = await signIn(server, mode, "root", ADMIN.ADMIN_PASSWORD);
  });

  it("a user comes to no address of administrators, however it is written", async () => {
    const opened: string[] = [];
    for (const { method, path } of guarded.filter(({ path }) => path.startsWith("/admin"))) {
      for (const odd of [path, ...spelled(path)]) {
        const { status } = await server
          .send({ method, path: odd, headers: user.lines() })
          .catch(() => ({ status: 400 }));
        if (status < 400 || status >= 500) opened.push(`${method} ${odd}: ${status}`);
      }
    }
    expect(opened).toEqual([]);
    for (const path of ["/admin", "/admin/users", "/admin/audit", "/admin/activity"])
      expect([path, (await server.send({ path, headers: root.lines() })).status]).toEqual([path, 200]);
  });

  it("HEAD is judged like GET and has no body; names from prototypes in a query do nothing", async () => {
    const head = await server.send({ method: "HEAD", path: "/me", headers: user.lines() });
    expect([head.status, head.text]).toEqual([200, ""]);
    for (const query of ["__proto__[roles]=admin", "constructor.prototype.roles=admin", "roles=admin", "isAdmin=1"]) {
      const answer = await server.send({ path: `/me?${query}`, headers: user.lines() });
      expect([query, answer.status, answer.json()]).toMatchObject([query, 200, { roles: [] }]);
      expect((await server.send({ path: `/admin?${query}`, headers: user.lines() })).status).toBe(403);
    }
  });

  it("logout, which needs no token, refuses a bad one, is quiet about none, and ends its own session alone", async () => {
    const other = await signIn(server, mode, `paths-${mode}`);
    const bad = other.lines().map(([name, value]) => [name, value.replace(/(eyJ[\w-]+\.[\w-]+\.)[\w-]+/g, "$1AAAA")]);
    const logout = (headers: readonly (readonly [string, string])[]) =>
      server.send({ method: "POST", path: "/logout", headers });
    const forged = await logout(bad as [string, string][]);
    expect([forged.status, forged.json()]).toMatchObject([401, { code: "token_invalid" }]);
    expect((await logout([])).status).toBe(204);
    for (const client of [user, other])
      expect((await server.send({ path: "/me", headers: client.lines() })).status).toBe(200);
    expect((await logout(other.lines())).status).toBe(204);
    expect((await server.send({ path: "/me", headers: other.lines() })).status).toBe(401);
    expect((await server.send({ path: "/me", headers: user.lines() })).status).toBe(200);
  });
});

describe("the public keys", () => {
  it("answer GET alone, cached for a bounded time, for no origin more than another", async () => {
    const path = "/.well-known/jwks.json";
    const answer = await server.send({ path, headers: [["Origin", "https://evil.example"]] });
    expect([answer.status, answer.header("cache-control")]).toEqual([200, ["public, max-age=300"]]);
    expect(answer.header("content-type").join()).toMatch(/^application\/(jwk-set\+)?json/);
    expect(answer.header("access-control-allow-credentials")).toEqual([]);
    for (const method of ["POST", "PUT", "DELETE", "PATCH"])
      expect([method, (await server.send({ method, path })).status]).toEqual([method, 405]);
    for (const odd of ["//.well-known/jwks.json", "/.well-known//jwks.json", "/%2ewell-known/jwks.json", `${path}/`])
      expect([odd, (await server.send({ path: odd })).status]).toEqual([odd, 404]);
  });

  it("are told a thousand times without work: other requests wait for nothing", async () => {
    const asked = Array.from({ length: 1_000 }, () => server.send({ path: "/.well-known/jwks.json" }));
    expect((await server.send({ path: "/health/live" })).status).toBe(200);
    const answers = await Promise.all(asked);
    expect(answers.every(({ status, text }) => status === 200 && text === '{"keys":[]}')).toBe(true);
  });
});
