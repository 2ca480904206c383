import { JWTManager } from "jwt-extended";
import { type AccountTables, createAccounts, type UserRecord, type UserStore } from "jwt-extended/accounts";
import type { nodeJwt } from "jwt-extended/node";
import { describe, expect, it } from "vitest";
import { nodeHarness } from "../support/harness/node.ts";
import type { AnyManager } from "../support/harness/types.ts";
import { send } from "../support/http.ts";
import { JSON_TYPE, SECRET } from "../support/serve.ts";
import { bearer, brief, CHEAP, PASSWORD, type Pair, startAccounts } from "./server.ts";

interface Employee {
  readonly id: number;
  readonly username: string;
  readonly password: string;
}

describe("the two functions of Flask-JWT", () => {
  const employees: Employee[] = [{ id: 7, username: "ada", password: "lovelace" }];
  const accounts = createAccounts({
    authenticate: (username, password) =>
      employees.find((one) => one.username === username && one.password === password),
    identity: (payload) => employees.find(({ id }) => String(id) === payload.sub),
  });
  const jwt = new JWTManager({ secretKey: SECRET, loaders: accounts.loaders });

  it("are all that it takes for login, refresh, logout, sessions and limits", async () => {
    const guarded = {
      methods: ["GET"],
      path: "/whoami",
      guard: {},
      // What `identity` gave, typed by it.
      handler: ({ getAuth }: { getAuth(): unknown }) => ({
        json: (getAuth() as ReturnType<ReturnType<typeof nodeJwt<Employee, object, string>>["getAuth"]>).user.username,
      }),
    };
    const server = await nodeHarness.start(jwt as AnyManager, [guarded], {
      parsers: false,
      ready: { routes: accounts.routes(jwt) },
    });
    const ask = (method: string, path: string, token = "", body?: object) =>
      send(server.url, {
        method,
        path,
        body: body && JSON.stringify(body),
        headers: [...(body ? [JSON_TYPE] : []), ...(token ? [bearer(token)] : [])],
      });
    const pair = (await ask("POST", "/login", "", { username: "ada", password: "lovelace" })).json() as Pair;
    expect((await ask("GET", "/me", pair.access_token)).json()).toMatchObject({
      id: "7",
      sessionId: expect.any(String),
    });
    expect((await ask("GET", "/whoami", pair.access_token)).json()).toBe("ada");
    expect((await jwt.decodeToken(pair.access_token)).sub).toBe("7");
    const next = (await ask("POST", "/refresh", "", { refresh_token: pair.refresh_token })).json() as Pair;
    expect(brief(await ask("GET", "/sessions", next.access_token))).toBe("200 ok");
    expect((await ask("POST", "/logout", next.access_token)).status).toBe(204);
    expect(brief(await ask("GET", "/me", next.access_token))).toBe("401 token_revoked");
    // Whoever is gone is gone at once.
    const last = (await ask("POST", "/login", "", { username: "ada", password: "lovelace" })).json() as Pair;
    employees.length = 0;
    expect(brief(await ask("GET", "/whoami", last.access_token))).toBe("401 user_not_found");
    const answers: string[] = [];
    for (let i = 0; i < 12; i++)
      answers.push(brief(await ask("POST", "/login", "", { username: "ADA", password: `guess ${i}` })));
    expect([new Set(answers.slice(0, 10)), new Set(answers.slice(10))]).toEqual([
      new Set(["401 invalid_credentials"]),
      new Set(["429 too_many_attempts"]),
    ]);
    for (const [method, path] of [
      ["POST", "/register"],
      ["POST", "/password"],
      ["GET", "/admin/users"],
    ] as const) {
      expect([path, (await ask(method, path, next.access_token, method === "POST" ? {} : undefined)).status]).toEqual([
        path,
        404,
      ]);
    }
    await server.close();
  });
});

/** A table of the application's own, with as little as is needed. */
function ownTable(): { rows: Map<string, UserRecord>; store: UserStore } {
  const rows = new Map<string, UserRecord>();
  const store: UserStore = {
    byId: (id) => rows.get(id),
    byName: (name) => [...rows.values()].find((user) => user.name === name),
    change(user, changes) {
      const now = rows.get(user.id);
      if (now?.version !== user.version) return false;
      rows.set(user.id, { ...now, ...changes, version: now.version + 1, pending: true });
      return true;
    },
    settle(id, version) {
      const now = rows.get(id);
      if (now?.version === version) rows.set(id, { ...now, pending: false });
    },
    rehash(user, passwordHash) {
      const now = rows.get(user.id);
      if (now) rows.set(user.id, { ...now, passwordHash });
    },
  };
  return { rows, store };
}

describe("a store of one's own", () => {
  it("offers what it can do, and no more", async () => {
    const { rows, store } = ownTable();
    const make = createAccounts({
      users: { ...store, add: (user) => rows.set(user.id, user) !== undefined },
      passwords: { cost: CHEAP },
    });
    await make.addUser({ username: "root", password: PASSWORD, roles: ["admin"] });
    const server = await startAccounts({ accounts: { users: store } });
    const token = bearer(((await server.login("root")).json() as Pair).access_token);
    const { sub } = await server.manager.decodeToken(token[1].slice(7));
    expect((await server.get("/me", token)).json()).toMatchObject({ id: sub, name: "root", roles: ["admin"] });
    expect((await server.get(`/admin/users/${sub}`, token)).json()).toMatchObject({ name: "root" });
    for (const path of ["/admin/users", "/admin/audit"])
      expect([path, (await server.get(path, token)).status]).toEqual([path, 404]);
    expect((await server.post("/register", { username: "bob", password: PASSWORD })).status).toBe(404);
    expect((await server.ask("DELETE", `/admin/users/${sub}`, token)).status).toBe(404);
    const change = { currentPassword: PASSWORD, newPassword: "another good one" };
    expect(brief(await server.post("/password", change, token))).toBe("200 ok");
    expect(brief(await server.get("/me", token))).toBe("401 token_revoked");
    expect([...rows.values()][0]).toMatchObject({ version: 1, pending: false });
    await expect(server.accounts.addUser({ username: "bob", password: PASSWORD })).rejects.toThrow(/no add/);
    await server.close();
  });
});

describe("what cannot work", () => {
  const tables = { users: ownTable().store } as AccountTables;

  it("is said at the start", () => {
    const accounts = createAccounts({ tables });
    expect(() => accounts.routes(new JWTManager({ secretKey: SECRET }))).toThrow(/loaders: accounts.loaders/);
    expect(() =>
      accounts.routes(new JWTManager({ secretKey: SECRET, loaders: accounts.loaders, store: null })),
    ).toThrow(/needs a store/);
    expect(() => createAccounts({ tables, trustedProxies: ["everybody"] })).toThrow(/trustedProxies/);
    expect(() => createAccounts({ tables, adminRole: "the boss" })).toThrow();
    expect(() => createAccounts({ tables, newUserRoles: ["a b"] })).toThrow();
  });

  it("is said of passwords that nobody should be able to choose, and of costs that protect nothing", () => {
    for (const minLength of [0, 7, 1025, Number.NaN, 8.5])
      expect(() => createAccounts({ tables, passwords: { minLength } })).toThrow(/minLength/);
    for (const cost of [
      { ...CHEAP, memoryCost: 0 },
      { ...CHEAP, timeCost: 0 },
      { ...CHEAP, parallelism: 1.5 },
    ]) {
      expect(() => createAccounts({ tables, passwords: { cost } })).toThrow(/cost/);
    }
    for (const queue of [{ running: 0 }, { waiting: -1 }, { running: Number.NaN }])
      expect(() => createAccounts({ tables, passwords: { queue } })).toThrow(/queue/);
  });
});
