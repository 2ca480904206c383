import { generateKeyPairSync } from "node:crypto";
import { calculateJwkThumbprint, createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { claimsOf, type Pair, type Running, startServer } from "./server.ts";

const PASSWORD = "a password of addresses";

let server: Running;
let pair: Pair;
beforeAll(async () => {
  server = await startServer();
  pair = (await server.post("/register", { username: "ada", password: PASSWORD })).json() as Pair;
});

const codeOf = async (asked: ReturnType<Running["send"]>): Promise<[number, unknown]> => {
  const answer = await asked;
  return [answer.status, (answer.json() as { code: unknown }).code];
};

describe("tokens", () => {
  it("/fresh takes the token of a login, and not that of a refresh", async () => {
    const login = (await server.post("/login", { username: "ada", password: PASSWORD })).json() as Pair;
    const shown = await server.ask("GET", "/fresh", login.access_token);
    expect([shown.status, shown.json()]).toEqual([200, { logged_in_as: "ada", fresh: true }]);
    const { access_token } = (await server.ask("POST", "/refresh", login.refresh_token)).json() as Pair;
    expect(await codeOf(server.ask("GET", "/fresh", access_token))).toEqual([401, "token_not_fresh"]);
    expect(await codeOf(server.send({ path: "/fresh" }))).toEqual([401, "token_missing"]);
  });

  it("/token shows what stands in the token, and never the token", async () => {
    const answer = await server.ask("GET", "/token", pair.access_token);
    const { header, claims, now } = answer.json() as { header: unknown; claims: unknown; now: number };
    expect(header).toEqual({ alg: "HS256", typ: "JWT" });
    expect(claims).toEqual(claimsOf(pair.access_token));
    expect(Math.abs(now - Date.now() / 1000)).toBeLessThan(10);
    expect(answer.text).not.toContain(pair.access_token.split(".")[2]);
    expect(await codeOf(server.send({ path: "/token" }))).toEqual([401, "token_missing"]);
  });
});

describe("the page", () => {
  const html = ["Accept", "text/html,application/xhtml+xml,*/*;q=0.8"] as const;

  it("is the console for browsers, and data for all others", async () => {
    const page = await server.send({ headers: [html] });
    expect([page.status, page.header("content-type")]).toEqual([200, ["text/html; charset=utf-8"]]);
    const policy = page.header("content-security-policy").join();
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"])
      expect(policy).toContain(part);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const data = await server.send({ headers: [["Accept", "*/*"]] });
    expect(data.header("content-type")).toEqual(["application/json; charset=utf-8"]);
    for (const answer of [page, data]) expect(answer.header("vary")).toEqual(["Accept"]);

    const assets = [...page.text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path as string);
    expect(assets.length).toBeGreaterThan(0);
    for (const path of assets) {
      const asset = await server.send({ path });
      expect([path, asset.status]).toEqual([path, 200]);
      expect(asset.header("content-type").join()).toMatch(/^(text\/(javascript|css)|image\/)/);
      expect(asset.header("cache-control")).toEqual(["public, max-age=31536000, immutable"]);
    }
    expect(page.text).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });

  it.each(["/assets/", "/assets/../../package.json", "/assets/..%2f..%2fpackage.json", "/index.html", "/assets/%00"])(
    "has nothing at %s",
    async (path) => {
      expect(await codeOf(server.send({ path }))).toEqual([404, "not_found"]);
    },
  );

  it("learns the names that count from /config.json", async () => {
    const answer = await server.send({ path: "/config.json" });
    expect(answer.json()).toEqual({
      csrfCookies: { access: "csrf_access", refresh: "csrf_refresh" },
      csrfHeader: "X-CSRF-TOKEN",
      registration: true,
    });
  });
});

describe("health", () => {
  it("is told without a token, and without details", async () => {
    const live = await server.send({ path: "/health/live" });
    expect([live.status, live.json()]).toEqual([200, { status: "live" }]);
    const ready = await server.send({ path: "/health/ready" });
    expect([ready.status, ready.json()]).toEqual([200, { status: "ready" }]);
  });
});

it("every answer carries the security headers", async () => {
  const { access_token } = pair;
  const answers = [
    await server.send({}),
    await server.send({ path: "/nowhere" }),
    await server.send({ method: "PUT", path: "/login" }),
    await server.post("/login", "{"),
    await server.post("/login", "x".repeat(100_000)),
    await server.send({ path: "/protected" }),
    await server.ask("GET", "/protected", access_token),
    await server.ask("GET", "/admin/users", access_token),
    await server.send({ path: "/health/ready" }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 405, 400, 413, 401, 200, 403, 200]);
  for (const answer of answers) {
    const headers = Object.fromEntries(answer.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": expect.stringContaining("camera=()"),
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    for (const name of ["strict-transport-security", "x-powered-by", "server", "access-control-allow-origin"])
      expect(headers).not.toHaveProperty(name);
  }
});

describe("/.well-known/jwks.json", () => {
  it("is empty where a secret signs", async () => {
    const answer = await server.send({ path: "/.well-known/jwks.json" });
    expect([answer.status, answer.json()]).toEqual([200, { keys: [] }]);
  });

  it.each([
    ["RS256", generateKeyPairSync("rsa", { modulusLength: 2048 })],
    ["ES256", generateKeyPairSync("ec", { namedCurve: "P-256" })],
    ["EdDSA", generateKeyPairSync("ed25519")],
  ] as const)("has the public key of %s, by which others verify", async (algorithm, { privateKey }) => {
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const signing = await startServer({
      env: { JWT_ALGORITHM: algorithm, JWT_PRIVATE_KEY: pem.replaceAll("\n", "\\n") },
    });
    const answer = await signing.send({ path: "/.well-known/jwks.json" });
    const set = answer.json() as JSONWebKeySet;
    const [key] = set.keys;
    expect(set.keys).toHaveLength(1);
    expect(key).toMatchObject({ alg: algorithm, use: "sig", kid: await calculateJwkThumbprint(key as never) });
    for (const secret of ["d", "p", "q", "dp", "dq", "qi"]) expect(key).not.toHaveProperty(secret);
    const made = (await signing.post("/register", { username: "ada", password: PASSWORD })).json() as Pair;
    const { protectedHeader, payload } = await jwtVerify(made.access_token, createLocalJWKSet(set));
    expect([protectedHeader.kid, payload.type]).toEqual([key?.kid, "access"]);
    expect((await signing.ask("GET", "/protected", made.access_token)).json()).toEqual({ logged_in_as: "ada" });
    expect((await signing.ask("POST", "/refresh", made.refresh_token)).status).toBe(200);
    expect((await signing.stop()).output).not.toContain("PRIVATE KEY");
  });
});
