import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { badBodies, FOREIGN_FIELDS } from "../support/bodies.ts";
import { ADAPTERS } from "../support/harness/types.ts";
import { send } from "../support/http.ts";
import { JSON_TYPE } from "../support/serve.ts";
import { bearer, brief, PASSWORD, type Pair, type Running, startAccounts } from "./server.ts";

const NAME = "bodies";
const good = `"username":"${NAME}","password":"${PASSWORD}"`;

describe.each(ADAPTERS)("bodies through %s", (adapter) => {
  let server: Running;
  beforeAll(async () => {
    server = await startAccounts({ adapter });
  });
  afterAll(() => server.close());

  it.each(badBodies(NAME, PASSWORD))("refuses %s", async (_name, body, code) => {
    for (const path of ["/register", "/login"]) {
      const answer = await server.post(path, body);
      expect([path, brief(answer)]).toEqual([path, `400 ${code}`]);
      expect(answer.header("content-type")[0]).toMatch(/^application\/json/);
      expect([answer.setCookies, answer.header("www-authenticate")]).toEqual([[], []]);
    }
  });

  it("names the fields that are wrong", async () => {
    const fields = async (body: object) =>
      ((await server.post("/register", body)).json() as { fields?: string[] }).fields;
    expect(await fields({ username: NAME })).toEqual(["password"]);
    expect(await fields({ username: 7, password: PASSWORD })).toEqual(["username"]);
    expect(await fields({ username: "a b", password: PASSWORD })).toEqual(["username"]);
    expect(await fields({ username: NAME, password: "short" })).toEqual(["password"]);
    expect(await fields({ username: NAME, password: PASSWORD, via: "jar" })).toEqual(["via"]);
  });

  it.each(FOREIGN_FIELDS)("takes no %s from the caller", async (field) => {
    for (const path of ["/register", "/login"]) {
      const answer = await server.post(path, { username: NAME, password: PASSWORD, [field]: "admin" });
      expect([path, brief(answer)]).toEqual([path, "400 field_invalid"]);
    }
  });

  it("left nobody behind, and no prototype changed", async () => {
    expect(brief(await server.login(NAME))).toBe("401 invalid_credentials");
    expect([({} as { isAdmin?: unknown }).isAdmin, ({} as { roles?: unknown }).roles]).toEqual([undefined, undefined]);
  });

  it("refuses what is too large before reading it", async () => {
    const big = JSON.stringify({ username: "x".repeat(10 * 1024 * 1024) });
    for (const path of ["/login", "/register", "/password"]) {
      const token = path === "/password" ? bearer((await server.register(`big.${adapter}`)).access_token) : undefined;
      const answer = await server.post(path, big, ...(token ? [token] : []));
      expect([path, brief(answer)]).toEqual([path, "413 body_too_large"]);
    }
    expect(brief(await server.post("/login", `{"username":"${" ".repeat(70_000)}`))).toBe("413 body_too_large");
    expect(brief(await server.post("/login", " ".repeat(64 * 1024)))).toBe("400 body_invalid");
  });

  it("refuses bodies of another kind, compressed ones too", async () => {
    const ask = (...headers: (readonly [string, string])[]) =>
      send(server.url, { method: "POST", path: "/auth/login", body: `{${good}}`, headers });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/ld+json"]) {
      expect([type, brief(await ask(["Content-Type", type]))]).toEqual([type, "415 unsupported_media_type"]);
    }
    expect(brief(await ask())).toBe("415 unsupported_media_type");
    expect(brief(await ask(JSON_TYPE, ["Content-Encoding", "gzip"]))).toBe("415 unsupported_media_type");
    expect(brief(await ask(["Content-Type", "application/json; charset=utf-8"]))).toBe("401 invalid_credentials");
  });

  it("takes the bodies of the other routes as strictly", async () => {
    const { access_token } = (await server.register("strict")) as Pair;
    const change = (body: unknown) => server.post("/password", body, bearer(access_token)).then(brief);
    for (const body of [
      {},
      { newPassword: 1 },
      { newPassword: PASSWORD, currentPassword: 1 },
      { newPassword: PASSWORD, roles: [] },
      { newPassword: PASSWORD, userId: "x" },
    ]) {
      expect([body, await change(body)]).toEqual([body, "400 field_invalid"]);
    }
    expect(await change("[]")).toBe("400 body_invalid");
    expect(brief(await server.login("strict"))).toBe("201 ok");
  });
});

describe("a user who tried to be more", () => {
  it("is nothing but a user, in the row and in the token", async () => {
    const server = await startAccounts({ accounts: { newUserRoles: ["member"] } });
    const { access_token } = await server.register("plain");
    const claims = await server.manager.decodeToken(access_token);
    expect(Object.keys(claims).sort()).toEqual([
      "auth_time",
      "exp",
      "fresh",
      "iat",
      "jti",
      "roles",
      "sid",
      "sub",
      "type",
    ]);
    expect(claims).toMatchObject({ roles: ["member"], sub: expect.stringMatching(/^[\w-]{22}$/) });
    await server.close();
  });
});
