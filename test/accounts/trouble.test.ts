import { memoryStore } from "jwt-extended";
import { type AccountTables, type MakeLimiter, sqliteAccounts, type UserStore } from "jwt-extended/accounts";
import Database from "libsql";
import { afterEach, expect, it, vi } from "vitest";
import { accountsOf, bearer, brief, PASSWORD, type Pair, type Running, startAccounts } from "./server.ts";

let server: Running;
afterEach(() => server?.close());

const tablesOf = (): AccountTables => sqliteAccounts({ database: new Database(":memory:") });
/** The tables with some functions of the users replaced. */
const withUsers = (tables: AccountTables, users: Partial<UserStore>): AccountTables => ({
  ...tables,
  users: { ...tables.users, ...users },
});
const DOWN = "503 store_unavailable";
const count = async ({ users }: AccountTables): Promise<number> => (await users.list(undefined, 100)).length;

it("users that cannot be reached are 503, soon, and without a word about why", async () => {
  const tables = tablesOf();
  const fail = vi.fn((): Promise<never> => Promise.reject(new Error("SELECT secret FROM users: connection refused")));
  const hang = vi.fn((): Promise<never> => new Promise(() => {}));
  for (const broken of [fail, hang]) {
    server = await startAccounts({
      accounts: { tables: withUsers(tables, { byName: broken, byId: broken, add: broken }) },
      manager: { storeTimeout: 0.1 },
    });
    const token = await server.manager.createAccessToken("somebody", { claims: {} }).catch(() => "");
    const begin = performance.now();
    for (const answer of [
      await server.login("ada"),
      await server.post("/register", { username: "ada", password: PASSWORD }),
      ...(token ? [await server.get("/me", bearer(token))] : []),
    ]) {
      expect(brief(answer)).toBe(DOWN);
      expect(answer.text).not.toMatch(/SELECT|refused|secret/);
      expect(answer.header("retry-after")).toEqual(["1"]);
    }
    expect(performance.now() - begin).toBeLessThan(2_000);
    expect(broken).toHaveBeenCalled();
    await server.close();
  }
});

it("a registration whose session cannot be opened leaves no row", async () => {
  const tables = tablesOf();
  const store = memoryStore();
  let isDown = true;
  const open: typeof store.open = (session) => (isDown ? Promise.reject(new Error("down")) : store.open(session));
  server = await startAccounts({ accounts: { tables }, manager: { store: { ...store, open } } });
  const register = () => server.post("/register", { username: "ada", password: PASSWORD });
  expect([brief(await register()), await count(tables)]).toEqual([DOWN, 0]);
  isDown = false;
  expect([brief(await register()), await count(tables)]).toEqual(["201 ok", 1]);
});

it("a registration whose row comes too late, or is stored although its answer was lost, leaves no row", async () => {
  const tables = tablesOf();
  const slow: UserStore["add"] = async (user) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return tables.users.add(user);
  };
  const lost: UserStore["add"] = async (user) => {
    await tables.users.add(user);
    throw new Error("connection lost");
  };
  for (const add of [slow, lost]) {
    server = await startAccounts({ accounts: { tables: withUsers(tables, { add }) }, manager: { storeTimeout: 0.1 } });
    expect(brief(await server.post("/register", { username: "ada", password: PASSWORD }))).toBe(DOWN);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await count(tables)).toBe(0);
    await server.close();
  }
});

it("limits that cannot be counted let nobody in", async () => {
  const limits: MakeLimiter = () => ({ consume: () => Promise.reject(new Error("down")), reward: async () => ({}) });
  server = await startAccounts({ accounts: { limits } });
  for (const path of ["/login", "/register"])
    expect(brief(await server.post(path, { username: "ada", password: PASSWORD }))).toBe(DOWN);
});

it("sessions that could not be ended with a change are refused from its commit on, and ended before the next login", async () => {
  const tables = tablesOf();
  const store = memoryStore();
  let isDown = false;
  const revoke: typeof store.revoke = (revocation) =>
    isDown ? Promise.reject(new Error("down")) : store.revoke(revocation);
  server = await startAccounts({ accounts: { tables }, manager: { store: { ...store, revoke } } });
  const pair = await server.register("ada");
  const stolen = (await server.login("ada")).json() as Pair;
  isDown = true;
  const change = { currentPassword: PASSWORD, newPassword: "another good one" };
  expect(brief(await server.post("/password", change, bearer(pair.access_token)))).toBe(DOWN);
  expect(await tables.users.byName("ada")).toMatchObject({ pending: true, version: 1 });
  for (const { access_token, refresh_token } of [pair, stolen]) {
    expect(brief(await server.get("/me", bearer(access_token)))).toBe("401 user_not_found");
    expect(brief(await server.post("/refresh", { refresh_token }))).toBe("401 user_not_found");
  }
  // As long as they cannot be ended nobody is let in; then it goes on by itself.
  expect(brief(await server.login("ada", "another good one"))).toBe(DOWN);
  isDown = false;
  const next = (await server.login("ada", "another good one")).json() as Pair;
  expect(brief(await server.get("/me", bearer(next.access_token)))).toBe("200 ok");
  for (const { access_token, refresh_token } of [pair, stolen]) {
    expect(brief(await server.get("/me", bearer(access_token)))).toBe("401 token_revoked");
    expect(brief(await server.post("/refresh", { refresh_token }))).toBe("401 session_ended");
  }
  expect(await tables.users.byName("ada")).toMatchObject({ pending: false, version: 1 });
});

it("who is disabled while a login is under way does not get in", async () => {
  const tables = tablesOf();
  const accounts = accountsOf({ tables });
  let meanwhile = async (): Promise<void> => {};
  const additionalClaims = async (id: string) => {
    await meanwhile();
    return accounts.loaders.additionalClaims(id);
  };
  server = await startAccounts({
    accounts: { tables },
    manager: { loaders: { ...accounts.loaders, additionalClaims } },
  });
  const { sub } = await server.manager.decodeToken((await server.register("ada")).access_token);
  const root = bearer(await server.admin());
  let done = "";
  meanwhile = async () => {
    // The password was right already; the session is not open yet.
    meanwhile = async () => {};
    done = brief(await server.ask("POST", `/admin/users/${sub}/disable`, root));
  };
  expect([brief(await server.login("ada")), done]).toEqual(["401 invalid_credentials", "204"]);
  expect(await server.manager.listSessions(sub)).toEqual([]);
  const { entries } = (await server.get(`/admin/audit?subject=${sub}&limit=2`, root)).json() as {
    entries: { kind: string; outcome: string }[];
  };
  expect(entries.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual(["login invalid_credentials", "revoke ok"]);
});

it("two changes of a password at once: one wins, and the other is told", async () => {
  server = await startAccounts();
  const pair = await server.register("ada");
  const change = (newPassword: string) => server.post("/password", { newPassword }, bearer(pair.access_token));
  const answers = await Promise.all(["first new password", "second new password", "third new password"].map(change));
  const winners = answers.filter(({ status }) => status === 200);
  expect(winners.length).toBe(1);
  for (const answer of answers.filter(({ status }) => status !== 200))
    expect(brief(answer)).toMatch(/^(409 user_changed|401 (token_revoked|user_not_found))$/);
  const { access_token } = winners.map((answer) => answer.json() as Pair)[0] as Pair;
  expect(brief(await server.get("/me", bearer(access_token)))).toBe("200 ok");
});

it("a password that is not the current one needs a fresh token", async () => {
  server = await startAccounts();
  const pair = await server.register("ada");
  const stale = (await server.post("/refresh", { refresh_token: pair.refresh_token })).json() as Pair;
  const change = { newPassword: "another good one" };
  expect(brief(await server.post("/password", change, bearer(stale.access_token)))).toBe("401 token_not_fresh");
  expect(
    brief(await server.post("/password", { ...change, currentPassword: "wrong password" }, bearer(stale.access_token))),
  ).toBe("401 invalid_credentials");
  expect(brief(await server.post("/password", { newPassword: "password1" }, bearer(pair.access_token)))).toBe(
    "400 password_common",
  );
  expect(brief(await server.post("/password", { newPassword: "ada2026!" }, bearer(pair.access_token)))).toBe(
    "400 password_common",
  );
  expect(brief(await server.login("ada"))).toBe("201 ok");
  expect(brief(await server.post("/password", change, bearer(pair.access_token)))).toBe("200 ok");
  expect(brief(await server.login("ada"))).toBe("401 invalid_credentials");
});
