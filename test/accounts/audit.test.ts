import { type AuditEntry, type AuditStore, type Logger, sqliteAccounts } from "jwt-extended/accounts";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bearer, brief, PASSWORD, type Pair, type Running, startAccounts } from "./server.ts";

interface Line {
  readonly level: keyof Logger;
  readonly entry: { readonly audit?: AuditEntry };
  readonly message: string;
}

function recordingLogger(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: keyof Logger) => (entry: object, message: string) => void lines.push({ level, entry, message });
  return { lines, logger: { info: at("info"), warn: at("warn"), error: at("error") } };
}

describe("the audit trail", () => {
  const { logger, lines } = recordingLogger();
  const database = new Database(":memory:");
  const tables = sqliteAccounts({ database });
  let server: Running;
  let root: readonly [string, string];
  beforeAll(async () => {
    server = await startAccounts({ accounts: { tables, logger }, manager: { grace: 0 } });
    root = bearer(await server.admin());
  });
  afterAll(() => server.close());

  const agent = (text: string): readonly [string, string] => ["User-Agent", text];
  const trail = async (query: string): Promise<{ entries: AuditEntry[]; next: string | null }> =>
    (await server.get(`/admin/audit${query}`, root)).json() as { entries: AuditEntry[]; next: string | null };
  /** What is told of a user, the oldest first. */
  const told = async (id: string): Promise<string[]> =>
    (await trail(`?subject=${id}&limit=100`)).entries
      .reverse()
      .map(({ kind, outcome, detail }) => [kind, outcome, detail ?? ""].join(" ").trim());
  const idOf = async (pair: Pair): Promise<string> =>
    (await server.manager.decodeToken(pair.access_token, { allowExpired: true })).sub;

  it("tells of every login, failure, refresh, reuse, revocation, change of password and of roles", async () => {
    const first = await server.register("ada");
    const id = await idOf(first);
    await server.login("ada", "wrong password");
    const second = (await server.login("ada")).json() as Pair;
    const third = (await server.post("/refresh", { refresh_token: second.refresh_token })).json() as Pair;
    expect(brief(await server.post("/refresh", { refresh_token: second.refresh_token }))).toBe("401 token_reused");
    expect(brief(await server.post("/refresh", { refresh_token: third.refresh_token }))).toBe("401 session_ended");
    const wrong = { currentPassword: "wrong password", newPassword: "another good one" };
    await server.post("/password", wrong, bearer(first.access_token));
    const changed = (
      await server.post("/password", { ...wrong, currentPassword: PASSWORD }, bearer(first.access_token))
    ).json() as Pair;
    await server.ask("POST", "/logout", bearer(changed.access_token));
    await server.post(`/admin/users/${id}/roles`, { roles: ["editor", "author"] }, root);
    await server.ask("POST", `/admin/users/${id}/disable`, root);
    await server.login("ada", "another good one");
    await server.ask("POST", `/admin/users/${id}/enable`, root);
    await server.ask("DELETE", `/admin/users/${id}`, root);
    expect(await told(id)).toEqual([
      "login ok",
      "register ok",
      "login invalid_credentials",
      "login ok",
      "refresh ok",
      "reuse token_reused",
      "refresh session_ended",
      "password invalid_credentials",
      "password ok",
      "revoke ok subject",
      "login ok",
      "revoke ok session",
      "roles ok editor author",
      "revoke ok subject",
      "disable ok",
      "revoke ok subject",
      "login disabled",
      "enable ok",
      "revoke ok subject",
      "disable ok",
      "revoke ok subject",
      "delete ok",
    ]);
    const { sub: admin } = await server.manager.decodeToken(root[1].slice(7));
    const { entries } = await trail(`?subject=${id}&limit=100`);
    const acted = entries.filter(({ actor }) => actor !== null);
    expect(new Set(acted.map(({ actor }) => actor))).toEqual(new Set([admin]));
    expect(acted.length).toBe(9);
    expect(entries.find(({ kind, detail }) => kind === "revoke" && detail === "session")?.session).toBe(
      (await server.manager.decodeToken(changed.access_token)).sid,
    );
  });

  it("holds time, client and outcome, an address as a keyed hash, and a session that can be found again", async () => {
    const before = Date.now();
    const answer = await server.post("/register", { username: "bob", password: PASSWORD }, agent("Lynx/2.9"));
    const pair = answer.json() as Pair;
    const { sub: id, sid } = await server.manager.decodeToken(pair.access_token);
    const [register, login] = (await trail(`?subject=${id}`)).entries;
    expect([register?.kind, login?.kind]).toEqual(["register", "login"]);
    const [session] = await server.manager.listSessions(id);
    expect(login).toMatchObject({
      session: sid,
      userAgent: "Lynx/2.9",
      outcome: "ok",
      actor: null,
      address: session?.address,
    });
    expect(register).toMatchObject({ userAgent: "Lynx/2.9", address: login?.address });
    expect(login?.address).toMatch(/^[\w-]{22}$/);
    expect(login?.at).toBeGreaterThanOrEqual(before);
    expect(login?.at).toBeLessThanOrEqual(Date.now());
  });

  it("tells of failures under unknown names without saying which", async () => {
    await server.login("no such user", "wrong password", agent("unknown-name"));
    const [entry] = (await trail("?kind=login&limit=1")).entries;
    expect(entry).toMatchObject({
      kind: "login",
      outcome: "invalid_credentials",
      subject: null,
      userAgent: "unknown-name",
    });
    expect(JSON.stringify(entry)).not.toContain("no such user");
  });

  it("is read page by page, filtered by subject and kind", async () => {
    const { entries: all } = await trail("?limit=100");
    expect(all.map(({ id }) => id)).toEqual([...all].sort((a, b) => (a.id < b.id ? 1 : -1)).map(({ id }) => id));
    const pages: AuditEntry[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: { entries: AuditEntry[]; next: string | null } = await trail(`?limit=7${next && `&before=${next}`}`);
      pages.push(...page.entries);
      next = page.next;
    }
    expect(pages).toEqual(all);
    const { entries } = await trail("?kind=password&limit=100");
    expect(entries.map(({ kind }) => kind)).toEqual(["password", "password"]);
    for (const query of ["kind=nothing", "limit=0", "kind=login&kind=login"]) {
      expect(brief(await server.get(`/admin/audit?${query}`, root))).toBe("400 field_invalid");
    }
  });

  it("is handed to a logger in pino's shape, failures as warnings", () => {
    const levels = new Map(lines.map(({ level, message }) => [message, level]));
    expect(levels.get("login: ok")).toBe("info");
    expect(levels.get("login: invalid_credentials")).toBe("warn");
    expect(levels.get("reuse: token_reused")).toBe("warn");
    expect(lines.every(({ entry }) => typeof entry.audit?.id === "string")).toBe(true);
  });

  it("keeps one line per entry, whatever a client calls itself", async () => {
    await server.login(
      "ada",
      "wrong password",
      agent("\u001b]0;owned\u0007 \u0085 x".replace(/[^\x20-\x7e\x80-\xff]/g, "\t")),
    );
    await server.login("ada", "wrong password", agent("y".repeat(4_000)));
    const { entries } = await trail("?kind=login&limit=2");
    for (const { userAgent } of entries) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(userAgent).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
    expect(entries[0]?.userAgent?.length).toBe(256);
  });

  it("holds no token, password, hash or name, anywhere", async () => {
    const pair = (await server.login("bob")).json() as Pair;
    await server.post("/refresh", { refresh_token: pair.refresh_token });
    const rows = JSON.stringify(database.prepare("SELECT * FROM jx_audit").all()) + JSON.stringify(lines);
    const parts = [PASSWORD, "wrong password", "another good one", "eyJ", "argon2", '"ada"', '"bob"', "127.0.0.1"];
    for (const token of Object.values(pair))
      if (typeof token === "string" && token.length > 40) parts.push(token.slice(0, 20), token.split(".")[2] as string);
    for (const part of parts) expect([part, rows.includes(part)]).toEqual([part, false]);
  });
});

it("of attempts that are one too many only the first is told of", async () => {
  const server = await startAccounts({ accounts: { limitRules: { pair: { points: 3, duration: 900 } } } });
  const { access_token } = await server.register("ada");
  for (let i = 0; i < 9; i++) await server.login("ada", "wrong password");
  const { sub } = await server.manager.decodeToken(access_token);
  await server.accounts.addUser({ username: "root", password: PASSWORD, roles: ["admin"] });
  const root = bearer(((await server.login("root")).json() as Pair).access_token);
  const { entries } = (await server.get(`/admin/audit?subject=${sub}&kind=login`, root)).json() as {
    entries: AuditEntry[];
  };
  expect(entries.map(({ outcome }) => outcome)).toEqual([
    "too_many_attempts",
    ...new Array(3).fill("invalid_credentials"),
    "ok",
  ]);
  await server.close();
});

it("a trail that cannot be written is told to the logger, and stops nobody", async () => {
  const { logger, lines } = recordingLogger();
  const audit: AuditStore = { add: () => Promise.reject(new Error("disk full")), find: () => [] };
  const server = await startAccounts({ accounts: { audit, logger } });
  await server.register("ada");
  expect(brief(await server.login("ada"))).toBe("201 ok");
  expect(lines.filter(({ level }) => level === "error").length).toBe(3);
  await server.close();
});

it("what the application ends by itself is recorded, too", async () => {
  const { logger, lines } = recordingLogger();
  const server = await startAccounts({ accounts: { logger } });
  const pair = await server.register("ada");
  const { sub, sid } = await server.manager.decodeToken(pair.access_token);
  await server.manager.revokeSession(sid as string);
  await vi.waitFor(() =>
    expect(lines.at(-1)?.entry.audit).toMatchObject({ kind: "revoke", subject: sub, session: sid }),
  );
  // Twice asked for its routes, a manager is heard once.
  server.accounts.routes(server.manager);
  await server.manager.createTokenPair(sub);
  await vi.waitFor(() => expect(lines.filter(({ message }) => message === "login: ok").length).toBe(2));
  await server.close();
});
