import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { badBodies, FOREIGN_FIELDS } from "../support/bodies.ts";
import type { Answer } from "../support/http.ts";
import { claimsOf, type Pair, type Running, startServer } from "./server.ts";

const MARKER = "marker-Zx81-pass";
let server: Running;
beforeAll(async () => {
  server = await startServer();
});

const register = (username: unknown, password: unknown = MARKER, more = {}): Promise<Answer> =>
  server.post("/register", { username, password, ...more });
const login = (username: unknown, password: unknown = MARKER, more = {}): Promise<Answer> =>
  server.post("/login", { username, password, ...more });
const brief = ({ status, text }: Answer): string =>
  `${status} ${text === "" ? "" : ((JSON.parse(text) as { code?: string }).code ?? "pair")}`;

describe("bodies", () => {
  it.each(badBodies("bodies", MARKER))("refuses %s", async (_name, body, code) => {
    for (const path of ["/register", "/login"]) {
      expect(brief(await server.post(path, body))).toBe(`400 ${code}`);
    }
  });

  it.each(FOREIGN_FIELDS)("takes no %s from the caller", async (field) => {
    for (const ask of [register, login]) {
      expect(brief(await ask("massive", MARKER, { [field]: "admin" }))).toBe("400 field_invalid");
    }
  });

  it("refuses what is too large before reading it", async () => {
    for (const path of ["/register", "/login", "/refresh", "/logout", "/nowhere"]) {
      const answer = await server.post(path, JSON.stringify({ username: "x".repeat(10 * 1024 * 1024) }));
      expect(brief(answer)).toBe("413 body_too_large");
    }
    expect(brief(await server.post("/login", "[".repeat(100_000)))).toBe("413 body_too_large");
    expect(brief(await server.post("/login", " ".repeat(64 * 1024)))).toBe("400 body_invalid");
    expect(brief(await server.post("/login", " ".repeat(64 * 1024 + 1)))).toBe("413 body_too_large");
    const chunked = { "Content-Type": "application/json", "Transfer-Encoding": "chunked" };
    const sent = { method: "POST", path: "/login", headers: Object.entries(chunked), body: "x".repeat(200_000) };
    expect(brief(await server.send(sent))).toBe("413 body_too_large");
  });

  it("takes JSON only", async () => {
    const body = JSON.stringify({ username: "typed", password: MARKER });
    const typed = (...headers: [string, string][]) => server.send({ method: "POST", path: "/register", headers, body });
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json5",
      "text/json",
      "multipart/form-data",
    ]) {
      expect(brief(await typed(["Content-Type", type]))).toBe("415 unsupported_media_type");
    }
    expect(brief(await typed())).toBe("415 unsupported_media_type");
    const json: [string, string] = ["Content-Type", "Application/JSON; charset=utf-8"];
    expect(brief(await typed(json, ["Content-Encoding", "gzip"]))).toBe("415 unsupported_media_type");
    expect(brief(await typed(json))).toBe("201 pair");
  });
});

describe("names", () => {
  it.each([
    "ab",
    "x".repeat(33),
    "x".repeat(10_000),
    "",
    " admin",
    "admin ",
    "\u0430dmin",
    "\uff41dmin",
    "a\u200bdmin",
    "\u212aelvin",
    "d\u0131nar",
    "nul\u0000l",
    "line\nbreak",
    "admin\r\n[31m",
    "a/b/c",
    "' OR 1=1 --",
    '"; DROP TABLE users; --',
    "per%cent",
    "back\\slash",
  ])("refuses %j", async (name) => {
    expect(brief(await register(name))).toBe("400 username_invalid");
    expect(brief(await login(name))).toBe("401 invalid_credentials");
  });

  it("knows one account whatever the case", async () => {
    expect(brief(await register("Case.Name_1-x"))).toBe("201 pair");
    for (const name of ["case.name_1-x", "CASE.NAME_1-X"]) {
      expect(brief(await register(name, "another password"))).toBe("409 username_taken");
      expect(brief(await login(name))).toBe("201 pair");
    }
    expect(brief(await register("case_name.1-x"))).toBe("201 pair");
    expect(brief(await login("cas%"))).toBe("401 invalid_credentials");
  });

  it("makes one account of 50 registrations at once", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => register("racer", `${MARKER}-${i}`)));
    const winners = answers.flatMap(({ status }, i) => (status === 201 ? [i] : []));
    expect(winners).toHaveLength(1);
    expect(answers.filter((answer) => brief(answer) === "409 username_taken")).toHaveLength(49);
    expect(brief(await login("racer", `${MARKER}-${winners[0]}`))).toBe("201 pair");
    const database = new Database(join(server.cwd, "data/auth.db"), { readonly: true });
    expect(database.prepare("SELECT count(*) AS n FROM jx_users WHERE name = 'racer'").get()).toMatchObject({ n: 1 });
    database.close();
  });
});

describe("passwords", () => {
  it("are refused by length, and never cut", async () => {
    for (const short of ["", "1234567", "\uff41\uff42\uff43"]) {
      expect(brief(await register("lengths", short))).toBe("400 password_too_short");
      expect(brief(await login("lengths", short))).toBe("401 invalid_credentials");
    }
    for (const ask of [register, login]) {
      expect(brief(await ask("lengths", "x".repeat(1025)))).toBe("400 password_too_long");
      expect(brief(await ask("lengths", "é".repeat(513)))).toBe("400 password_too_long");
    }
    for (const length of [8, 64, 72, 128, 1024]) {
      const password = randomBytes(512).toString("hex").slice(0, length);
      expect(brief(await register(`length-${length}`, password))).toBe("201 pair");
      expect(brief(await login(`length-${length}`, password))).toBe("201 pair");
      if (length < 1024) expect(brief(await login(`length-${length}`, `${password}p`))).toBe("401 invalid_credentials");
    }
  });

  it.each([
    ["nul", "before\0after", ["before", "before\0", "before\0other"]],
    ["blanks", "  inside out  ", ["inside out", "  inside out"]],
    ["letter-case", "Upper and lower", ["upper and lower"]],
  ])("are taken as they are: %s", async (name, password, others) => {
    expect(brief(await register(`taken-${name}`, password))).toBe("201 pair");
    expect(brief(await login(`taken-${name}`, password))).toBe("201 pair");
    for (const other of others) expect(brief(await login(`taken-${name}`, other))).toBe("401 invalid_credentials");
  });

  it("are the same however a keyboard spells them", async () => {
    expect(brief(await register("unicode", "caf\u00e9 🔑 \ufb01sh"))).toBe("201 pair");
    expect(brief(await login("unicode", "cafe\u0301 🔑 fish"))).toBe("201 pair");
    for (const ask of [register, login]) {
      const answer = await server.post(
        ask === register ? "/register" : "/login",
        '{"username":"halves","password":"12345678\\ud800"}',
      );
      expect(brief(answer)).toBe("400 password_malformed");
    }
  });

  it("are stored as argon2id at the cost of the cheat sheet", async () => {
    const database = new Database(join(server.cwd, "data/auth.db"), { readonly: true });
    await register("stored");
    const rows = database.prepare("SELECT password_hash AS hash FROM jx_users").all() as { hash: string }[];
    for (const { hash } of rows) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(new Set(rows.map(({ hash }) => hash)).size).toBe(rows.length);
    database.close();
  });

  it("are hashed again at login when they were stored at a lower cost", async () => {
    const { hash } = await import("@node-rs/argon2");
    await register("outdated");
    const database = new Database(join(server.cwd, "data/auth.db"));
    const old = await hash(MARKER, { memoryCost: 8192, timeCost: 1 });
    database.prepare("UPDATE jx_users SET password_hash = ? WHERE name = 'outdated'").run(old);
    expect(brief(await login("outdated", "wrong password"))).toBe("401 invalid_credentials");
    expect(brief(await login("outdated"))).toBe("201 pair");
    const row = database.prepare("SELECT password_hash AS hash FROM jx_users WHERE name = 'outdated'").get();
    expect(row).toMatchObject({ hash: expect.stringContaining("m=19456,t=2,p=1") });
    expect(brief(await login("outdated"))).toBe("201 pair");
    database.close();
  });
});

describe("what a login tells", () => {
  it("is the same for a wrong password and an unknown user, to the byte", async () => {
    await register("somebody");
    const wrong = await login("somebody", "wrong password");
    for (const other of [
      await login("nobody-here", "wrong password"),
      await login("no name at all", "wrong password"),
    ]) {
      expect([other.status, other.text]).toEqual([wrong.status, wrong.text]);
      const lines = ({ headers }: Answer) => headers.filter(([name]) => name !== "Date");
      expect(lines(other)).toEqual(lines(wrong));
    }
    expect(wrong.text).toBe('{"code":"invalid_credentials","msg":"Wrong username or password"}');
  });

  it("gives nobody a right that the database does not know", async () => {
    for (const body of [
      '{"__proto__":{"isAdmin":true,"roles":["admin"]}}',
      '{"constructor":{"prototype":{"roles":["admin"]}}}',
    ]) {
      await server.post("/register", body);
    }
    const pair = (await register("polluter")).json() as Pair;
    expect(claimsOf(pair.access_token)).toMatchObject({ roles: [] });
    expect(Object.keys(claimsOf(pair.access_token)).sort()).toEqual([
      "auth_time",
      "csrf",
      "exp",
      "fresh",
      "iat",
      "iss",
      "jti",
      "roles",
      "sid",
      "sub",
      "type",
    ]);
    expect(brief(await server.ask("GET", "/admin", pair.access_token))).toBe("403 insufficient_role");
  });
});

describe("afterwards", () => {
  it("answers 503 without details when the database is broken", async () => {
    const broken = await startServer();
    const pair = (await broken.post("/register", { username: "unlucky", password: MARKER })).json() as Pair;
    const database = new Database(join(broken.cwd, "data/auth.db"));
    database.exec("DROP TABLE jx_users");
    database.close();
    const answers = [
      await broken.post("/login", { username: "unlucky", password: MARKER }),
      await broken.post("/register", { username: "unlucky", password: MARKER }),
      await broken.ask("GET", "/protected", pair.access_token),
    ];
    for (const answer of answers) {
      expect(brief(answer)).toBe("503 store_unavailable");
      expect(answer.text).not.toMatch(/SQL|users\b.*table|at |\//);
    }
    expect((await broken.send({})).status).toBe(200);
    expect(broken.output()).not.toContain(MARKER);
    expect(broken.output()).not.toContain(pair.access_token.slice(0, 20));
    await broken.stop();
  });

  afterAll(async () => {
    const { code, output } = await server.stop();
    expect(code).toBe(0);
    for (const text of [output, server.answers()]) {
      expect(text).not.toContain(MARKER);
      expect(text).not.toContain(Buffer.from(MARKER).toString("base64").slice(0, 16));
      expect(text).not.toContain(readFileSync(join(server.cwd, ".jwt-extended/dev-secret"), "utf8").trim());
      expect(text).not.toMatch(/argon2|SQLITE|node_modules|\n\s+at /);
    }
    expect(output).not.toMatch(/eyJ/);
  });
});
