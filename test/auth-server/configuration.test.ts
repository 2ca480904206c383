import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { claimsOf, type Pair, startRefused, startServer, temporaryFolder } from "./server.ts";

const SECRET = "k7Jx-a-marker-secret-of-this-test-file-Q2v";
const PASSWORD = "a password of settings";

describe("a wrong configuration", () => {
  it("is told whole, each fault with its mending, and nothing is left behind", async () => {
    const cwd = temporaryFolder();
    const { code, output } = await startRefused({
      cwd,
      env: {
        PORT: "many",
        HOST: "no host at all",
        PUBLIC_ORIGIN: "auth.example.com",
        TRUSTED_PROXIES: "everybody",
        DATABASE_URL: "oracle://marker-db@db/x",
        REDIS_URL: "memcached://x",
        LOG_LEVEL: "loud",
        LOG_FORMAT: "xml",
        ADMIN_USERNAME: "b ss",
        ADMIN_PASSWORD: "marker-password",
        JWT_SECRET_KEY: "marker-short",
        JWT_ALGORITHM: "HS255",
        JWT_ACCESS_TOKEN_EXPIRES: "soon",
        JWT_COKIE_SECURE: "1",
      },
    });
    expect(code).toBe(1);
    for (const says of [
      /PORT must be/,
      /HOST is no address/,
      /PUBLIC_ORIGIN must be an origin such as/,
      /TRUSTED_PROXIES must hold/,
      /DATABASE_URL must begin with postgres:.*mysql:/,
      /REDIS_URL must begin with redis:/,
      /LOG_LEVEL must be one of trace/,
      /LOG_FORMAT must be one of text, json/,
      /ADMIN_USERNAME cannot be used/,
      /JWT_SECRET_KEY: .*32 bytes/,
      /JWT_ALGORITHM must be/,
      /JWT_ACCESS_TOKEN_EXPIRES must be/,
      /JWT_COKIE_SECURE/,
    ]) {
      expect(output).toMatch(says);
    }
    expect(output.trim().split("\n")).toHaveLength(14);
    expect(output).not.toMatch(/marker/);
    expect([existsSync(join(cwd, "data")), existsSync(join(cwd, ".jwt-extended"))]).toEqual([false, false]);
  });

  it.each([
    [{ DATABASE_URL: "mysql://jx:marker@127.0.0.1:1/x" }, /database of DATABASE_URL cannot be used \(ECONNREFUSED\)/],
    [{ DATABASE_URL: "file:a.db", DATABASE_FILE: "b.db" }, /DATABASE_URL and DATABASE_FILE are both set/],
    [
      { DATABASE_URL: "postgres://jx:marker@127.0.0.1:1/x" },
      /database of DATABASE_URL cannot be used \(ECONNREFUSED\)/,
    ],
    [{ REDIS_URL: "redis://:marker@127.0.0.1:1" }, /Redis of REDIS_URL cannot be used \(ECONNREFUSED\)/],
    [{ JWT_SECRET_KEY_FILE: "not-there" }, /JWT_SECRET_KEY_FILE names a file that cannot be read \(ENOENT\)/],
    [{ JWT_SECRET_KEY: SECRET, JWT_SECRET_KEY_FILE: "x" }, /JWT_SECRET_KEY and JWT_SECRET_KEY_FILE are both set/],
    [{ JWT_ALGORITHM: "RS256" }, /JWT_PRIVATE_KEY is missing/],
    [{ JWT_ALGORITHM: "ES256", JWT_PRIVATE_KEY: "marker" }, /JWT_PRIVATE_KEY/],
    [
      { HOST: "0.0.0.0", JWT_SECRET_KEY: SECRET, JWT_COOKIE_SECURE: "no" },
      /JWT_COOKIE_SECURE=false sends login cookies/,
    ],
    [{ JWT_COMPAT: "flask" }, /JWT_COMPAT/],
  ])("is refused: %j", async (env, says) => {
    const { code, output } = await startRefused({ env });
    expect(output).toMatch(says);
    expect(output).not.toMatch(/marker|\n\s+at |Listening|Q2v/);
    expect(code).toBe(1);
  });
});

describe("secrets in files", () => {
  it("count like those in the environment", async () => {
    const cwd = temporaryFolder();
    const file = (name: string, text: string): string => {
      const path = join(cwd, name);
      writeFileSync(path, text, { mode: 0o444 });
      return path;
    };
    const env = {
      JWT_SECRET_KEY_FILE: file("key", `${SECRET}\n`),
      DATABASE_URL_FILE: file("database", "file:other/users.db\n"),
      ADMIN_USERNAME: "boss",
      ADMIN_PASSWORD_FILE: file("password", "the password of the boss\r\n"),
    };
    const server = await startServer({ cwd, env });
    const login = await server.post("/login", { username: "boss", password: "the password of the boss" });
    expect(login.status).toBe(201);
    expect(existsSync(join(cwd, "other/users.db"))).toBe(true);
    expect(existsSync(join(cwd, ".jwt-extended"))).toBe(false);
    await server.stop();
    const { JWT_SECRET_KEY_FILE: _, ...rest } = env;
    const again = await startServer({ cwd, env: { ...rest, JWT_SECRET_KEY: SECRET } });
    const { access_token } = login.json() as Pair;
    expect((await again.ask("GET", "/admin", access_token)).status).toBe(200);
    await again.stop();
  });
});

describe("an https origin", () => {
  it("makes cookies safe and pages of that origin the only ones", async () => {
    const origin = "https://auth.example.com";
    const server = await startServer({ env: { JWT_SECRET_KEY: SECRET, PUBLIC_ORIGIN: origin } });
    const register = (username: string, ...headers: [string, string][]) =>
      server.send({
        method: "POST",
        path: "/register",
        headers: [["Content-Type", "application/json"], ...headers],
        body: JSON.stringify({ username, password: PASSWORD, via: "cookies" }),
      });
    const answer = await register("ada", ["Origin", origin]);
    expect(answer.status).toBe(201);
    expect(answer.header("strict-transport-security")).toEqual(["max-age=31536000"]);
    const names = answer.setCookies.map((line) => line.slice(0, line.indexOf("=")));
    expect(names.sort()).toEqual([
      "__Host-access_token",
      "__Host-csrf_access",
      "__Host-csrf_refresh",
      "__Host-device",
      "__Host-refresh_token",
    ]);
    for (const line of answer.setCookies) {
      expect(line).toMatch(/; Path=\/; .*; Secure; SameSite=Lax/);
      if (!line.includes("csrf_")) expect(line).toContain("; HttpOnly");
    }
    const { csrfCookies } = (await server.send({ path: "/config.json" })).json() as { csrfCookies: unknown };
    expect(csrfCookies).toEqual({ access: "__Host-csrf_access", refresh: "__Host-csrf_refresh" });
    expect((await register("bob", ["Origin", server.url])).status).toBe(403);
    expect(server.output()).not.toMatch(/TLS|Secure/);
    await server.stop();
  });

  it("is not guessed: off this machine cookies are Secure without it, too", async () => {
    const server = await startServer({ env: { JWT_SECRET_KEY: SECRET, HOST: "0.0.0.0" } });
    const body = { username: "ada", password: PASSWORD, via: "cookies" };
    const { setCookies } = await server.post("/register", body);
    expect(setCookies.length).toBe(5);
    for (const line of setCookies) expect(line).toContain("; Secure");
    expect(server.output()).toMatch(/TLS in front and set PUBLIC_ORIGIN/);
    await server.stop();
  });
});

it("JWT_… variables set the options", async () => {
  const server = await startServer({
    env: {
      JWT_SECRET_KEY: SECRET,
      JWT_ACCESS_TOKEN_EXPIRES: "5m",
      JWT_ERROR_MESSAGE_KEY: "message",
      JWT_ENCODE_ISSUER: "me",
      JWT_DECODE_ISSUER: "me",
    },
  });
  const pair = (await server.post("/register", { username: "ada", password: PASSWORD })).json() as Pair;
  expect(pair.expires_in).toBe(300);
  expect(claimsOf(pair.access_token).iss).toBe("me");
  expect(Object.keys((await server.send({ path: "/nowhere" })).json() as object)).toEqual(["code", "message"]);
  await server.stop();
});
