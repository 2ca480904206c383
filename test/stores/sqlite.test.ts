import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "jwt-extended/sqlite";
import { storeContract } from "jwt-extended/testing";
import Database from "libsql";
import { afterAll, describe, expect, it, test } from "vitest";
import { fakeClock } from "../../src/testing/clock.ts";
import { about, login, presented } from "../../src/testing/store-cases.ts";
import { type SqlTables, sqlCases } from "./sql-cases.ts";

const folder = mkdtempSync(join(tmpdir(), "jx-sqlite-"));
const opened: Database.Database[] = [];
let files = 0;
const fileName = (): string => join(folder, `${++files}.db`);
function openFile(name: string): Database.Database {
  const database = new Database(name);
  opened.push(database);
  return database;
}

afterAll(() => {
  for (const database of opened) database.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(["file", ":memory:"])("the SQLite store keeps the contract (%s)", (where) => {
  const cases = storeContract(async (clock) => {
    const store = sqliteStore({ database: openFile(where === "file" ? fileName() : where), clock });
    await store.migrate();
    return store;
  });
  for (const { name, run } of cases) test(name, run);
});

async function tables(): Promise<SqlTables> {
  const name = fileName();
  return {
    // A database of its own for each: connections as separate as those of processes.
    store: (options) => sqliteStore({ database: openFile(name), ...options }),
    async run(statement) {
      const beside = new Database(name, { timeout: 2_000 });
      const prepared = beside.prepare(statement);
      const rows = prepared.reader ? prepared.all() : [];
      if (!prepared.reader) prepared.run();
      beside.close();
      return rows as Record<string, unknown>[];
    },
  };
}

describe("the SQLite store", () => {
  sqlCases(tables);

  it("flushes every commit to a write-ahead log", async () => {
    const database = openFile(fileName());
    await sqliteStore({ database }).migrate();
    expect(database.prepare("pragma journal_mode").all()).toEqual([{ journal_mode: "wal" }]);
    expect(database.prepare("pragma synchronous").all()).toEqual([{ synchronous: 2 }]);
    expect(database.prepare("pragma busy_timeout").all()).toEqual([{ timeout: 0 }]);
  });

  it("waits for another writer without stopping the process, answers checks meanwhile, and gives up in time", async () => {
    const name = fileName();
    const store = sqliteStore({ database: openFile(name) });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    const other = openFile(name);
    other.prepare("begin immediate").run();
    let longest = 0;
    let last = performance.now();
    const pulse = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    setTimeout(() => other.prepare("rollback").run(), 300);
    const rotating = store.rotate(presented(sid, 0, fakeClock(Date.now())));
    expect(await store.isRevoked(about("alice", { sid }))).toBe(false);
    expect((await rotating).outcome).toBe("rotated");
    other.prepare("begin immediate").run();
    const since = performance.now();
    await expect(store.revoke({ kind: "session", sid, until: Date.now() })).rejects.toMatchObject({
      code: "SQLITE_BUSY",
    });
    expect(performance.now() - since).toBeGreaterThan(900);
    clearInterval(pulse);
    other.prepare("rollback").run();
    expect(longest).toBeLessThan(250);
    await store.revoke({ kind: "session", sid, until: Date.now() + 1_000 });
  });

  it("throws where the database is closed, read only, or none", async () => {
    const name = fileName();
    const database = openFile(name);
    const store = sqliteStore({ database });
    await store.migrate();
    database.prepare("pragma query_only = on").run();
    await expect(sqliteStore({ database }).migrate()).rejects.toThrow(/reading only/);
    await expect(store.revoke({ kind: "everything", until: 1 })).rejects.toThrow();
    opened.splice(opened.indexOf(database), 1);
    database.close();
    await expect(store.isRevoked(about("alice"))).rejects.toThrow();
    expect(() => sqliteStore({ database: name as never })).toThrow(/open database/);
  });
});
