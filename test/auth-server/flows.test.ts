import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import Database from "libsql";
import { beforeAll, describe, expect, it } from "vitest";
import { claimsOf, type Pair, type Running, startServer } from "./server.ts";

const PASSWORD = "a password of flows";
const ADMIN = { username: "root-of-all", password: "the administrator's own" };

let server: Running;
beforeAll(async () => {
  server = await startServer({ env: { ADMIN_USERNAME: "Root-Of-All", ADMIN_PASSWORD: ADMIN.password } });
});

async function pairOf(path: string, username: string, password = PASSWORD): Promise<Pair> {
  const answer = await server.post(path, { username, password });
  expect([answer.status, answer.text]).toEqual([201, expect.stringContaining("access_token")]);
  return answer.json() as Pair;
}

const codeOf = async (asked: ReturnType<Running["send"]>): Promise<[number, unknown]> => {
  const answer = await asked;
  return [answer.status, (answer.json() as { code: unknown }).code];
};

describe("the auth server", () => {
  it("lists its routes", async () => {
    const answer = await server.send({});
    const { routes } = answer.json() as { routes: { method: string; path: string }[] };
    expect(answer.status).toBe(200);
    const listed = routes.map(({ method, path }) => `${method} ${path}`);
    for (const one of [
      "POST /register",
      "POST /login",
      "POST /refresh",
      "POST /logout",
      "GET /protected",
      "GET /admin",
    ])
      expect(listed).toContain(one);
    expect(new Set(listed).size).toBe(listed.length);
  });

  it("registers, logs in and lets in", async () => {
    const registered = await server.post("/register", { username: "Barbara", password: PASSWORD });
    expect(registered.status).toBe(201);
    expect(registered.header("cache-control")).toEqual(["no-store"]);
    expect(registered.header("x-content-type-options")).toEqual(["nosniff"]);
    expect(registered.header("x-powered-by")).toEqual([]);
    const first = registered.json() as Pair;
    expect(Object.keys(first).sort()).toEqual(["access_token", "expires_in", "refresh_token", "token_type"]);
    expect([first.token_type, first.expires_in]).toEqual(["Bearer", 900]);

    const second = await pairOf("/login", "bARBARA");
    for (const pair of [first, second]) {
      const shown = await server.ask("GET", "/protected", pair.access_token);
      expect([shown.status, shown.json()]).toEqual([200, { logged_in_as: "barbara" }]);
    }
    const claims = claimsOf(first.access_token);
    expect(claims).toMatchObject({ roles: [], fresh: true, iss: "jwt-extended-dev" });
    expect(claims.sub).toMatch(/^[\w-]{22}$/);
    expect(claimsOf(second.access_token).sub).toBe(claims.sub);
  });

  it("wants a token, and the right kind of it", async () => {
    const pair = await pairOf("/register", "kinds");
    expect(await codeOf(server.send({ path: "/protected" }))).toEqual([401, "token_missing"]);
    expect(await codeOf(server.ask("GET", "/protected", pair.refresh_token))).toEqual([401, "wrong_token_type"]);
    expect(await codeOf(server.ask("POST", "/refresh", pair.access_token))).toEqual([401, "wrong_token_type"]);
    expect(await codeOf(server.ask("GET", "/protected", `${pair.access_token}x`))).toEqual([401, "token_invalid"]);
    expect((await server.send({ method: "POST", path: "/logout" })).status).toBe(204);
  });

  it("refreshes", async () => {
    const pair = await pairOf("/register", "refreshing");
    const answer = await server.ask("POST", "/refresh", pair.refresh_token);
    expect(answer.status).toBe(200);
    expect(answer.header("cache-control")).toEqual(["no-store"]);
    const renewed = answer.json() as Pair;
    expect(claimsOf(renewed.access_token)).toMatchObject({ fresh: false, sub: claimsOf(pair.access_token).sub });
    expect((await server.ask("GET", "/protected", renewed.access_token)).json()).toEqual({
      logged_in_as: "refreshing",
    });
  });

  it.each(["access_token", "refresh_token"] as const)("ends a login by its %s, and only that login", async (kind) => {
    const name = `leaving-${kind}`;
    const pair = await pairOf("/register", name);
    const other = await pairOf("/login", name);
    expect((await server.ask("POST", "/logout", pair[kind])).status).toBe(204);
    expect((await server.ask("POST", "/logout", pair[kind])).status).toBe(204);
    expect(await codeOf(server.ask("GET", "/protected", pair.access_token))).toEqual([401, "token_revoked"]);
    expect((await server.ask("POST", "/refresh", pair.refresh_token)).status).toBe(401);
    expect((await server.ask("GET", "/protected", other.access_token)).status).toBe(200);
    expect((await server.ask("POST", "/refresh", other.refresh_token)).status).toBe(200);
  });

  it("lets administrators in, and nobody else", async () => {
    const admin = await pairOf("/login", ADMIN.username, ADMIN.password);
    const user = await pairOf("/register", "ordinary");
    const shown = await server.ask("GET", "/admin", admin.access_token);
    expect([shown.status, shown.json()]).toEqual([200, { administrator: "root-of-all" }]);
    expect(await codeOf(server.ask("GET", "/admin", user.access_token))).toEqual([403, "insufficient_role"]);
    expect(await codeOf(server.send({ path: "/admin" }))).toEqual([401, "token_missing"]);
  });

  it("refuses the tokens of a user who was deleted or has lost a role", async () => {
    const database = new Database(join(server.cwd, "data/auth.db"));
    const gone = await pairOf("/register", "soon-gone");
    const admin = await pairOf("/register", "soon-nobody");
    const { sub } = claimsOf(admin.access_token);
    database.prepare(`UPDATE jx_users SET roles = '["admin"]' WHERE id = ?`).run(sub);
    // A refresh asks the database again: no new login is needed.
    const raised = (await server.ask("POST", "/refresh", admin.refresh_token)).json() as Pair;
    expect((await server.ask("GET", "/admin", raised.access_token)).status).toBe(200);
    database.prepare("UPDATE jx_users SET roles = '[]' WHERE id = ?").run(sub);
    expect(await codeOf(server.ask("GET", "/admin", raised.access_token))).toEqual([403, "forbidden"]);

    database.prepare("DELETE FROM jx_users WHERE name = 'soon-gone'").run();
    expect(await codeOf(server.ask("GET", "/protected", gone.access_token))).toEqual([401, "user_not_found"]);
    expect(await codeOf(server.ask("POST", "/refresh", gone.refresh_token))).toEqual([401, "user_not_found"]);
    const again = await pairOf("/register", "soon-gone");
    expect((await server.ask("GET", "/protected", again.access_token)).status).toBe(200);
    expect((await server.ask("GET", "/protected", gone.access_token)).status).toBe(401);
    database.close();
  });

  it("answers unknown paths and methods in JSON", async () => {
    expect(await codeOf(server.send({ path: "/nowhere" }))).toEqual([404, "not_found"]);
    expect(await codeOf(server.send({ path: "/%zz" }))).toEqual([404, "not_found"]);
    const answer = await server.send({ method: "GET", path: "/login" });
    expect([answer.status, answer.header("allow"), answer.json()]).toEqual([
      405,
      ["POST"],
      { code: "method_not_allowed", msg: "This address takes POST" },
    ]);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      expect(await codeOf(server.send({ method, path: "/protected" }))).toEqual([405, "method_not_allowed"]);
    }
    expect((await server.send({ method: "HEAD", path: "/" })).status).toBe(200);
  });

  it("prints lines that run word for word", async () => {
    const lines = server.output().match(/^ {2}\S.*$/gm) ?? [];
    expect(lines).toHaveLength(9);
    const script = lines.map((line) => `${line}; echo`).join("\n");
    const { stdout } = await promisify(execFile)("bash", ["-eu", "-c", script]);
    const pair = expect.stringMatching(/^\{"access_token":"[^"]+","refresh_token":"[^"]+"/);
    const seen = stdout
      .replaceAll("\r", "")
      .split("\n")
      .filter((line) => /^\{|^HTTP/.test(line));
    expect(seen).toEqual([
      pair,
      '{"logged_in_as":"alice"}',
      expect.stringContaining('"insufficient_role"'),
      pair,
      "HTTP/1.1 204 No Content",
      expect.stringContaining('"token_revoked"'),
    ]);
  });

  it("keeps its users and their sessions over a restart, and what was ended stays ended", async () => {
    const pair = await pairOf("/register", "staying");
    const left = await pairOf("/login", "staying");
    expect((await server.ask("POST", "/logout", left.access_token)).status).toBe(204);
    expect((await server.stop()).code).toBe(0);
    // The administrator of the environment counts no more: there is one.
    server = await startServer({
      cwd: server.cwd,
      env: { ADMIN_USERNAME: "second", ADMIN_PASSWORD: "another password" },
    });
    expect((await server.ask("GET", "/protected", pair.access_token)).status).toBe(200);
    expect((await server.ask("POST", "/refresh", pair.refresh_token)).status).toBe(200);
    expect(await codeOf(server.ask("GET", "/protected", left.access_token))).toEqual([401, "token_revoked"]);
    expect((await server.ask("POST", "/refresh", left.refresh_token)).status).toBe(401);
    await pairOf("/login", "staying");
    await pairOf("/login", ADMIN.username, ADMIN.password);
    expect(await codeOf(server.post("/login", { username: "second", password: "another password" }))).toEqual([
      401,
      "invalid_credentials",
    ]);
    expect(await codeOf(server.post("/register", { username: "staying", password: PASSWORD }))).toEqual([
      409,
      "username_taken",
    ]);
  });
});
