import { ConfigError } from "jwt-extended";
import {
  type AccountTables,
  createAccounts,
  postgresAccounts,
  sqliteAccounts,
  type UserRecord,
} from "jwt-extended/accounts";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available } from "../support/require.ts";
import { brief, CHEAP, PASSWORD, type Pair, startAccounts } from "./server.ts";
import { DATABASES, type TablesKit } from "./tables.ts";

let prefixes = 0;
const newPrefix = (): string => `t${++prefixes}_`;
let users = 0;
const record = (more: Partial<UserRecord> = {}): UserRecord => ({
  id: `id${++users}`,
  name: `name${users}`,
  passwordHash: "$argon2id$x",
  roles: [],
  disabled: false,
  createdAt: 1_700_000_000_000,
  version: 0,
  pending: false,
  ...more,
});

const HOSTILE = [
  "' OR 1=1 --",
  '"; DROP TABLE jx_users; --',
  "\\",
  "%",
  "_",
  "a%",
  "$1",
  "?",
  ":id",
  "NULL;",
  "é\u{1f511}",
  "x'y\"z`",
  "{}",
];

describe.each(DATABASES)("accounts in %s", (name, isHere, openKit) => {
  describe.skipIf(!available(name, isHere))("are there", () => {
    let kit: TablesKit;
    beforeAll(async () => {
      kit = await openKit();
    }, 60_000);
    afterAll(() => kit?.close());

    it("give back what was stored, by id and by name", async () => {
      const { users: store } = kit.open(newPrefix());
      const ada = record({ roles: ["admin", "editor"], createdAt: 1_800_000_000_123 });
      expect(await store.add(ada)).toBe(true);
      expect(await store.byId(ada.id)).toEqual(ada);
      expect(await store.byName(ada.name)).toEqual(ada);
      expect([
        await store.byId(ada.name),
        await store.byName(ada.id),
        await store.byName(ada.name.toUpperCase()),
      ]).toEqual(new Array(3).fill(undefined));
      expect(await store.add(record({ name: ada.name }))).toBe(false);
      // Again by the same call, whose answer was lost on the way.
      expect(await store.add(ada)).toBe(true);
      await store.remove(ada.id);
      await store.remove(ada.id);
      expect(await store.byId(ada.id)).toBeUndefined();
    });

    it("change a user once for each version, and say what is pending until it is settled", async () => {
      const prefix = newPrefix();
      const [one, other] = [kit.open(prefix).users, kit.open(prefix).users];
      const ada = record();
      await one.add(ada);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => (i % 2 ? one : other).change(ada, { passwordHash: `hash ${i}` })),
      );
      expect(answers.filter(Boolean).length).toBe(1);
      const changed = (await one.byId(ada.id)) as UserRecord;
      expect(changed).toMatchObject({ version: 1, pending: true, passwordHash: `hash ${answers.indexOf(true)}` });
      await one.settle(ada.id, 0);
      expect(await other.byId(ada.id)).toMatchObject({ pending: true });
      // The same wanted again, after the first answer was lost.
      expect(await one.change(ada, { passwordHash: changed.passwordHash })).toBe(true);
      await one.settle(ada.id, 1);
      expect(await other.byId(ada.id)).toMatchObject({ pending: false, version: 1 });
      expect(await one.change(changed, { roles: ["x"], disabled: true })).toBe(true);
      expect(await other.byName(ada.name)).toMatchObject({
        roles: ["x"],
        disabled: true,
        version: 2,
        passwordHash: changed.passwordHash,
      });
      expect(await one.change(record(), { disabled: true })).toBe(false);
    });

    it("replace a hash only where it is still the old one, and touch nothing else", async () => {
      const { users: store } = kit.open(newPrefix());
      const ada = record();
      await store.add(ada);
      await store.rehash(ada, "newer");
      await store.rehash(ada, "too late");
      expect(await store.byId(ada.id)).toEqual({ ...ada, passwordHash: "newer" });
    });

    it("make one account of fifty registrations of one name in two processes", async () => {
      const prefix = newPrefix();
      const stores = [kit.open(prefix).users, kit.open(prefix).users];
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => stores[i % 2]?.add(record({ name: "one" }))),
      );
      expect(answers.filter(Boolean).length).toBe(1);
      expect(await kit.run(`select count(*) as n from ${prefix}users`)).toMatchObject([
        { n: expect.toSatisfy((n) => Number(n) === 1) },
      ]);
    });

    it("make one first administrator of twenty in two processes", async () => {
      const prefix = newPrefix();
      const stores = [kit.open(prefix).users, kit.open(prefix).users];
      // Roles that only look alike do not count.
      await stores[0]?.add(record({ roles: ["adminX", "superxadmin", "my-admin"] }));
      const add = (i: number, roles: string[]) => stores[i % 2]?.add(record({ roles }), "admin");
      expect(await stores[0]?.add(record({ roles: ["super_admin"] }), "super_admin")).toBe(true);
      expect(await stores[0]?.add(record({ roles: ["superXadmin"] }), "super-admin")).toBe(true);
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => add(i, ["admin"])));
      expect(answers.filter(Boolean).length).toBe(1);
    });

    it("list users in order, page by page", async () => {
      const { users: store } = kit.open(newPrefix());
      for (const each of ["dora", "ada", "bob", "carol"]) await store.add(record({ name: each }));
      const names = async (after: string | undefined, limit: number) =>
        (await store.list(after, limit)).map((user) => user.name);
      expect(await names(undefined, 3)).toEqual(["ada", "bob", "carol"]);
      expect(await names("carol", 3)).toEqual(["dora"]);
      expect(await names("zed", 3)).toEqual([]);
    });

    it("hold a trail that is found by subject, kind and page, and can be cut off", async () => {
      const prefix = newPrefix();
      const tables = kit.open(prefix);
      const entry = (id: string, subject: string | null, kind: "login" | "revoke") => ({
        ...{ id: id.padStart(32, "0"), at: 1, kind, outcome: "ok", subject, actor: null },
        ...{ session: null, address: null, userAgent: "é\u{1f511}'\"", detail: null },
      });
      const all = [
        entry("1", "a", "login"),
        entry("2", "b", "login"),
        entry("3", "a", "revoke"),
        entry("4", null, "login"),
      ];
      for (const each of all) await tables.audit.add(each);
      // The answer was lost on the way: once more is fine.
      await tables.audit.add(all[0] as never);
      expect(await tables.audit.find({ limit: 9 })).toEqual([...all].reverse());
      const ids = async (query: object) =>
        (await tables.audit.find({ limit: 9, ...query })).map(({ id }) => Number(id));
      expect([
        await ids({ subject: "a" }),
        await ids({ kind: "login" }),
        await ids({ before: "3".padStart(32, "0") }),
      ]).toEqual([
        [3, 1],
        [4, 2, 1],
        [2, 1],
      ]);
      expect([await ids({ subject: "a", kind: "login", limit: 1 }), await ids({ subject: "' OR 1=1 --" })]).toEqual([
        [1],
        [],
      ]);
      await tables.audit.add({
        ...entry("5", "a", "login"),
        id: `${Date.now().toString(16).padStart(12, "0")}${"0".repeat(20)}`,
      });
      await tables.purgeAudit(Date.now() - 60_000);
      expect((await tables.audit.find({ limit: 9 })).length).toBe(1);
    });

    it("take hostile text for text", async () => {
      const prefix = newPrefix();
      const tables = kit.open(prefix);
      const accounts = createAccounts({ tables, names: (given) => given, passwords: { cost: CHEAP } });
      for (const text of HOSTILE) {
        await accounts.addUser({ username: text, password: `${PASSWORD}${text}` });
        expect(await tables.users.byName(text)).toMatchObject({ name: text });
        expect(await tables.users.byId(text)).toBeUndefined();
      }
      expect((await tables.users.list(undefined, 100)).length).toBe(HOSTILE.length);
    });

    it("withstand hostile requests", async () => {
      const tables = kit.open(newPrefix());
      const server = await startAccounts({ accounts: { tables } });
      const { access_token } = await server.register("ada");
      for (const text of [...HOSTILE, "a\0b", "\0"]) {
        expect([text, brief(await server.login(text))]).toEqual([text, "401 invalid_credentials"]);
        expect([text, brief(await server.post("/register", { username: text, password: PASSWORD }))]).toEqual([
          text,
          "400 username_invalid",
        ]);
        const password = await server.post("/register", {
          username: `odd${text.length}.${HOSTILE.indexOf(text) + 2}`,
          password: `${text} ${PASSWORD}`,
        });
        expect([text, password.status]).toEqual([text, 201]);
      }
      await server.accounts.addUser({ username: "root", password: PASSWORD, roles: ["admin"] });
      const token = ((await server.login("root")).json() as Pair).access_token;
      for (const text of HOSTILE) {
        const part = encodeURIComponent(text);
        for (const path of [`/admin/users/${part}`, `/admin/users/${part}/sessions`]) {
          expect([path, brief(await server.get(path, ["Authorization", `Bearer ${token}`]))]).toEqual([
            path,
            "404 user_unknown",
          ]);
        }
        for (const path of [
          `/admin/audit?subject=${part}`,
          `/admin/audit?before=${part}`,
          `/admin/users?after=${part}`,
        ]) {
          expect([path, (await server.get(path, ["Authorization", `Bearer ${token}`])).status]).toEqual([path, 200]);
        }
      }
      const odd = await server.get("/admin/audit?subject=a%00b", ["Authorization", `Bearer ${token}`]);
      expect(brief(odd)).toBe("400 field_invalid");
      expect(brief(await server.get("/me", ["Authorization", `Bearer ${access_token}`]))).toBe("200 ok");
      await server.close();
    });

    it("are made by many processes at once, and by hand only where that is wanted", async () => {
      const prefix = newPrefix();
      const byHand = kit.open(prefix, false);
      await expect(byHand.users.byName("ada")).rejects.toThrow(/run migrate\(\) first/);
      const all: AccountTables[] = Array.from({ length: 5 }, () => kit.open(prefix));
      await Promise.all(all.flatMap((tables) => [tables.migrate(), tables.users.byName("ada")]));
      expect(await byHand.users.byName("ada")).toBeUndefined();
      await kit.run(`insert into ${prefix}accounts_migrations (version) values (99)`);
      await expect(kit.open(prefix).users.byName("ada")).rejects.toThrow(/later release/);
    });

    it("stay silent about what was dropped, and make no empty table instead", async () => {
      const prefix = newPrefix();
      const tables = kit.open(prefix);
      const server = await startAccounts({ accounts: { tables } });
      const pair = await server.register("ada");
      await kit.run(`drop table ${prefix}users`);
      const answers = [
        await server.login("ada"),
        await server.post("/register", { username: "bob", password: PASSWORD }),
        await server.get("/me", ["Authorization", `Bearer ${pair.access_token}`]),
      ];
      for (const answer of answers) {
        expect(brief(answer)).toBe("503 store_unavailable");
        expect(answer.text).toBe('{"code":"store_unavailable","msg":"Accounts cannot be reached right now"}');
        expect(answer.header("retry-after")).toEqual(["1"]);
      }
      await server.close();
    });
  });
});

it("odd table names and what is no database are refused at the start", () => {
  const database = new Database(":memory:");
  for (const tablePrefix of [
    "' OR 1=1 --",
    'x"; DROP TABLE users; --',
    "",
    "Jx_",
    "a b",
    "x".repeat(40),
    "1x",
    "a-b",
    "a\0",
  ]) {
    expect(() => sqliteAccounts({ database, tablePrefix })).toThrow(ConfigError);
  }
  expect(() => sqliteAccounts({ database: {} as never })).toThrow(ConfigError);
  expect(() => postgresAccounts({ pool: {} as never })).toThrow(ConfigError);
  expect(() => createAccounts({})).toThrow(ConfigError);
});
