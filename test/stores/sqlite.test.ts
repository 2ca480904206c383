import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStore } from "jwt-extended/sqlite";
import { storeContract } from "jwt-extended/testing";
import Database from "libsql";
import { afterAll, describe, expect, it, test } from "vitest";
import { fakeClock } from "../../src/testing/clock.ts";
import { about, login, presented } from "../../src/testing/store-cases.ts";
import { type SqlTables, sqlCases } from "./sql-cases.ts";
import { sqlFeedCases } from "./sql-feed-cases.ts";

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

/** A database that tells what it is made to do, and can fail at it. */
function watched(name: string): { database: Database.Database; done: string[]; fail: (text: string) => void } {
  const done: string[] = [];
  const failing = new Set<string>();
  const database = openFile(name);
  const { exec } = database;
  database.exec = (text) => {
    done.push(text);
    if (failing.delete(text)) throw new Error(`no ${text}`);
    return exec.call(database, text);
  };
  return { database, done, fail: (text) => failing.add(text) };
}

describe("the SQLite store", () => {
  sqlCases(tables);
  sqlFeedCases(tables);

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

  it("answers checks at once, and never tells what is not committed", async () => {
    const { database, fail } = watched(fileName());
    const store = sqliteStore({ database });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    const check = () => store.isRevoked(about("alice", { sid }));
    expect(check()).toBe(false);
    for (const [text, revoked] of [
      ["commit", false],
      ["", true],
    ] as const) {
      fail(text);
      const ending = Promise.allSettled([store.revoke({ kind: "session", sid, until: Date.now() + 60_000 })]);
      const answers = [];
      for (let tick = 0; tick < 300; tick++) answers.push(check(), await Promise.resolve(undefined));
      const [{ status }] = await ending;
      expect(status).toBe(revoked ? "fulfilled" : "rejected");
      const told = await Promise.all(answers.filter((answer) => answer !== undefined));
      expect(new Set(told).has(true)).toBe(revoked);
      expect(check()).toBe(revoked);
    }
  });

  it("exchanges what comes together in one transaction, and tells nobody before it is committed", async () => {
    const { database, done, fail } = watched(fileName());
    const store = sqliteStore({ database });
    const clock = fakeClock(Date.now());
    const rows = await Promise.all(Array.from({ length: 32 }, () => store.open(login("alice", clock))));
    const all = (gen: number) => Promise.allSettled(rows.map(({ sid }) => store.rotate(presented(sid, gen, clock))));
    done.length = 0;
    expect(new Set((await all(0)).map(({ status }) => status))).toEqual(new Set(["fulfilled"]));
    expect(done).toEqual(["begin immediate", "commit"]);
    fail("commit");
    expect(new Set((await all(1)).map(({ status }) => status))).toEqual(new Set(["rejected"]));
    const listed = await store.list("alice");
    expect(listed.map(({ gen }) => gen)).toEqual(rows.map(() => 1));
    const again = await all(1);
    expect(again.map((each) => each.status === "fulfilled" && each.value.outcome)).toEqual(rows.map(() => "rotated"));
  });

  it("opens a session later than a revocation that came between the look and the writing", async () => {
    const name = fileName();
    const { database } = watched(name);
    const clock = fakeClock(Date.now());
    const store = sqliteStore({ database, clock });
    await store.revoke({ kind: "subject", subject: "alice", until: clock() + 1e9 });
    const { exec } = database;
    database.exec = (text) => {
      database.exec = exec;
      const beside = openFile(name);
      beside.exec("update jx_epochs set epoch = epoch + 1 where subject is not null");
      beside.exec("update jx_meta set seq = seq + 1, mark = randomblob(8)");
      beside.close();
      return exec.call(database, text);
    };
    const { sid } = await store.open(login("alice", clock));
    expect(database.exec).toBe(exec);
    expect(await store.isRevoked(about("alice", { sid }))).toBe(false);
    expect(await store.read(sid)).toMatchObject({ endedAt: undefined });
  });

  it("throws once its file was deleted or replaced, until it is back or another is opened", async () => {
    const name = fileName();
    let database = openFile(name);
    const store = sqliteStore({
      database: { prepare: (text) => database.prepare(text), exec: (text) => database.exec(text), close() {} },
    });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    const ends = ["", "-wal", "-shm"].filter((end) => existsSync(name + end));
    const move = (from: string, to: string): void => {
      for (const end of ends) renameSync(from + end, to + end);
    };
    move(name, `${name}.away`);
    const lost = expect.stringContaining("deleted or replaced");
    const calls = async () => {
      await expect(store.isRevoked(about("alice", { sid }))).rejects.toMatchObject({ message: lost });
      await expect(store.rotate(presented(sid, 0, fakeClock(Date.now())))).rejects.toMatchObject({ message: lost });
      await expect(store.feed.tip(0)).rejects.toMatchObject({ message: lost });
    };
    await calls();
    move(`${name}.away`, name);
    expect((await store.rotate(presented(sid, 0, fakeClock(Date.now())))).outcome).toBe("rotated");
    move(name, `${name}.away`);
    const other = sqliteStore({ database: openFile(name) });
    await other.migrate();
    await calls();
    await calls();
    database = openFile(name);
    expect(await store.isRevoked(about("alice", { sid }))).toBe(true);
    const late = await other.open(login("alice", fakeClock(Date.now())));
    expect(await store.isRevoked(about("alice", { sid: late.sid }))).toBe(false);
  });

  it("throws where the database is closed, read only, or none", async () => {
    const name = fileName();
    const database = openFile(name);
    const store = sqliteStore({ database });
    await store.migrate();
    expect(store.isRevoked(about("alice", { iat: Date.now() }))).toBe(false);
    database.prepare("pragma query_only = on").run();
    await expect(sqliteStore({ database }).migrate()).rejects.toThrow(/reading only/);
    await expect(store.revoke({ kind: "everything", until: 1 })).rejects.toThrow();
    await expect(store.feed.tip(0)).rejects.toThrow();
    expect(await store.feed.since(0, 0, 1)).toEqual([]);
    opened.splice(opened.indexOf(database), 1);
    database.close();
    await expect(store.isRevoked(about("alice"))).rejects.toThrow();
    await expect(store.feed.live(0, undefined, 1)).rejects.toThrow();
    expect(() => sqliteStore({ database: name as never })).toThrow(/open database/);
  });
});
