import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADAPTERS } from "../support/harness/types.ts";
import { bearer, brief, PASSWORD, type Pair, type Running, startAccounts } from "./server.ts";

interface Shown {
  readonly id: string;
  readonly name: string;
  readonly disabled: boolean;
  readonly roles: readonly string[];
}

describe.each(ADAPTERS)("the routes of administrators through %s", (adapter) => {
  let server: Running;
  let root: readonly [string, string];
  beforeAll(async () => {
    server = await startAccounts({ adapter });
    root = bearer(await server.admin());
  });
  afterAll(() => server.close());

  const page = async (query = ""): Promise<{ users: Shown[]; next: string | null }> =>
    (await server.get(`/admin/users${query}`, root)).json() as { users: Shown[]; next: string | null };
  const idOf = async (name: string): Promise<string> =>
    (await page("?limit=100")).users.find((user) => user.name === name)?.id ?? "nobody";

  it("are closed to everybody else", async () => {
    const { access_token } = await server.register("mallory");
    const id = await idOf("mallory");
    const paths = [
      ["GET", "/admin/users"],
      ["GET", `/admin/users/${id}`],
      ["GET", `/admin/users/${id}/sessions`],
      ["DELETE", `/admin/users/${id}/sessions`],
      ["POST", `/admin/users/${id}/roles`],
      ["POST", `/admin/users/${id}/disable`],
      ["POST", `/admin/users/${id}/enable`],
      ["DELETE", `/admin/users/${id}`],
      ["GET", "/admin/audit"],
    ] as const;
    for (const [method, path] of paths) {
      expect([path, brief(await server.ask(method, path, bearer(access_token)))]).toEqual([
        path,
        "403 insufficient_role",
      ]);
      expect([path, brief(await server.ask(method, path))]).toEqual([path, "401 token_missing"]);
    }
  });

  it("show users page by page, in order, without hashes", async () => {
    for (const name of ["pag.a", "pag.b", "pag.c", "pag.d"]) await server.register(name);
    const seen: string[] = [];
    let next: string | null = "pag";
    while (next !== null) {
      const answer: { users: Shown[]; next: string | null } = await page(`?limit=2&after=${next}`);
      expect(answer.users.length).toBeLessThanOrEqual(2);
      seen.push(...answer.users.map(({ name }) => name));
      next = answer.next;
    }
    expect(seen.slice(0, 4)).toEqual(["pag.a", "pag.b", "pag.c", "pag.d"]);
    expect((await server.get("/admin/users", root)).text).not.toMatch(/argon|hash|version|pending/i);
    for (const limit of ["0", "101", "x", "-1", "1e1"]) {
      expect(brief(await server.get(`/admin/users?limit=${limit}`, root))).toBe("400 field_invalid");
    }
  });

  it("disable and enable: every token dies, and nobody logs in meanwhile", async () => {
    const pair = await server.register("dora");
    const id = await idOf("dora");
    expect((await server.ask("POST", `/admin/users/${id}/disable`, root)).status).toBe(204);
    expect((await server.ask("POST", `/admin/users/${id}/disable`, root)).status).toBe(204);
    expect(brief(await server.get("/me", bearer(pair.access_token)))).toBe("401 token_revoked");
    expect(brief(await server.post("/refresh", { refresh_token: pair.refresh_token }))).toMatch(/^401/);
    expect(brief(await server.login("dora"))).toBe("401 invalid_credentials");
    expect((await server.get(`/admin/users/${id}`, root)).json()).toMatchObject({ disabled: true });
    expect((await server.ask("POST", `/admin/users/${id}/enable`, root)).status).toBe(204);
    expect(brief(await server.login("dora"))).toBe("201 ok");
    expect(brief(await server.get("/me", bearer(pair.access_token)))).toBe("401 token_revoked");
  });

  it("set roles: sessions end, and the next login has them", async () => {
    const before = await server.register("rolf");
    const id = await idOf("rolf");
    const set = (roles: unknown): Promise<string> =>
      server.post(`/admin/users/${id}/roles`, { roles }, root).then(brief);
    expect(await set(["editor", "admin"])).toBe("204");
    expect(brief(await server.get("/me", bearer(before.access_token)))).toBe("401 token_revoked");
    const editor = (await server.login("rolf")).json() as Pair;
    expect(brief(await server.get("/admin/users", bearer(editor.access_token)))).toBe("200 ok");
    expect(await set([])).toBe("204");
    expect(brief(await server.get("/admin/users", bearer(editor.access_token)))).toBe("401 token_revoked");
    for (const roles of ["admin", [1], [["admin"]], ["a b"], [""], ['"'], ["x".repeat(65)], ["a", "a"], null]) {
      expect([roles, await set(roles)]).toEqual([roles, "400 field_invalid"]);
    }
    expect((await server.get(`/admin/users/${id}`, root)).json()).toMatchObject({ roles: [] });
  });

  it("show the sessions of a user and end one or all", async () => {
    const first = await server.register("sess");
    const second = (await server.login("sess")).json() as Pair;
    const id = await idOf("sess");
    const { sid } = await server.manager.decodeToken(first.access_token);
    const list = async () => (await server.get(`/admin/users/${id}/sessions`, root)).json() as { sessions: object[] };
    expect((await list()).sessions.length).toBe(2);
    expect((await server.ask("DELETE", `/admin/users/${id}/sessions/${sid}`, root)).status).toBe(204);
    expect(brief(await server.get("/me", bearer(first.access_token)))).toBe("401 token_revoked");
    expect(brief(await server.get("/me", bearer(second.access_token)))).toBe("200 ok");
    // The session of somebody else is as unknown as none.
    const mine = await server.manager.decodeToken(root[1].slice(7));
    expect(brief(await server.ask("DELETE", `/admin/users/${id}/sessions/${mine.sid}`, root))).toBe(
      "404 session_unknown",
    );
    expect((await server.ask("DELETE", `/admin/users/${id}/sessions`, root)).status).toBe(204);
    expect(brief(await server.get("/me", bearer(second.access_token)))).toBe("401 token_revoked");
    expect((await list()).sessions).toEqual([]);
  });

  it("remove a user with everything, and the name is free again", async () => {
    const pair = await server.register("gone");
    const id = await idOf("gone");
    expect((await server.ask("DELETE", `/admin/users/${id}`, root)).status).toBe(204);
    expect(brief(await server.ask("DELETE", `/admin/users/${id}`, root))).toBe("404 user_unknown");
    expect(brief(await server.get("/me", bearer(pair.access_token)))).toMatch(/^401/);
    const again = await server.register("gone");
    expect(await idOf("gone")).not.toBe(id);
    expect(brief(await server.get("/me", bearer(again.access_token)))).toBe("200 ok");
    expect(brief(await server.get("/me", bearer(pair.access_token)))).toMatch(/^401/);
  });

  it("leave no administrator without a hand on the door", async () => {
    const id = await idOf("root");
    for (const [method, path] of [
      ["POST", "/disable"],
      ["DELETE", ""],
    ] as const) {
      expect(brief(await server.ask(method, `/admin/users/${id}${path}`, root))).toBe("409 own_account");
    }
    expect(brief(await server.post(`/admin/users/${id}/roles`, { roles: [] }, root))).toBe("409 own_account");
    expect(brief(await server.get("/admin/users", root))).toBe("200 ok");
  });

  it("look at the row, too: a role that is in the token alone opens nothing", async () => {
    const { access_token } = await server.register("forger");
    const { sub } = await server.manager.decodeToken(access_token);
    const forged = await server.manager.createAccessToken(sub, { claims: { roles: ["admin"] } });
    expect(await server.manager.decodeToken(forged)).toMatchObject({ roles: ["admin"] });
    expect(brief(await server.get("/admin/users", bearer(forged)))).toBe("403 insufficient_role");
  });
});

it("makes one first administrator of two at once", async () => {
  const server = await startAccounts();
  const first = (username: string) =>
    server.accounts.addUser({ username, password: PASSWORD, roles: ["admin"], unlessHeld: "admin" }).then(
      () => "made",
      (error: { code: string }) => error.code,
    );
  expect((await Promise.all([first("one"), first("two"), first("three")])).sort()).toEqual([
    "made",
    "username_taken",
    "username_taken",
  ]);
  await server.close();
});
