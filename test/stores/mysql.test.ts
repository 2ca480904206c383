import type { Revocation } from "jwt-extended";
import { mysqlStore, type SqlStore } from "jwt-extended/mysql";
import { storeContract } from "jwt-extended/testing";
import { createPool } from "mysql2";
import type { Pool, PoolOptions } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { mysqlUser } from "../../scripts/faults/mysql-server.ts";
import { fakeClock } from "../../src/testing/clock.ts";
import { about, login, presented } from "../../src/testing/store-cases.ts";
import { hasMysql, type MysqlLab, openMysql } from "../support/mysql.ts";
import { available } from "../support/require.ts";
import { type FreshTables, sqlCases } from "./sql-cases.ts";
import { sqlFeedCases } from "./sql-feed-cases.ts";

let prefixes = 0;
const newPrefix = (): string => `t${++prefixes}_`;

/** How servers and pools may be set, beside what is usual. */
const SETTINGS: readonly {
  readonly name: string;
  readonly session: Readonly<Record<string, string>>;
  readonly options: PoolOptions;
  /** Whether the contract is enough here. */
  readonly isBrief?: true;
}[] = [
  { name: "as MariaDB 10.11 comes", session: {}, options: {} },
  {
    name: "serializable snapshots, a strange mode, no found rows",
    session: {
      tx_isolation: "'SERIALIZABLE'",
      innodb_snapshot_isolation: "'ON'",
      sql_mode: "'PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ONLY_FULL_GROUP_BY,NO_BACKSLASH_ESCAPES'",
    },
    options: { flags: ["-FOUND_ROWS"] },
  },
  {
    name: "repeatable snapshots, rows in other forms",
    session: { innodb_snapshot_isolation: "'ON'", default_storage_engine: "Aria" },
    options: { typeCast: false, supportBigNumbers: true, bigNumberStrings: true, rowsAsArray: true, nestTables: "_" },
    isBrief: true,
  },
  { name: "uncommitted reads", session: { tx_isolation: "'READ-UNCOMMITTED'" }, options: {}, isBrief: true },
];

const rowsOf = ([rows]: readonly unknown[] = []): Record<string, unknown>[] => (Array.isArray(rows) ? rows : []);

describe.skipIf(!available("mariadbd", hasMysql()))("the MySQL store", () => {
  let server: MysqlLab;
  let operator: Pool;
  beforeAll(async () => {
    server = await openMysql();
    operator = server.pool({ max_recursive_iterations: "200000" }, { user: "operator" });
  }, 60_000);
  afterAll(() => server?.close());

  /** Takes all out of the tables of a prefix, where they are there; making them takes far longer. */
  const empty = async (prefix: string): Promise<void> => {
    const names = ["meta", "sessions", "flags", "epochs", "spent", "feed", "pulse"];
    for (const name of names) await operator.query(`delete from ${prefix}${name}`);
  };

  describe.each(SETTINGS.map((each) => [each.name, each] as const))("with %s", (_, { session, options, isBrief }) => {
    const pools: Pool[] = [];
    beforeAll(() => {
      pools.push(server.pool(session, options), server.pool(session, { ...options, connectionLimit: 5 }));
    });
    afterAll(() => Promise.all(pools.map((pool) => pool.end())));

    it("has connections that are set so", async () => {
      const names = ["version", ...Object.keys(session)];
      const sql = `select ${names.map((name) => `cast(@@${name} as char) as ${name}`)}`;
      const [row] = rowsOf(await pools[0]?.query({ sql, rowsAsArray: false, nestTables: false, typeCast: true }));
      const wanted = Object.entries(session).map(([name, value]) => [name, value.replaceAll("'", "")]);
      expect(row).toMatchObject(Object.fromEntries(wanted));
    });

    describe("keeps the contract", () => {
      const tablePrefix = newPrefix();
      const store = (clock?: () => number): SqlStore => mysqlStore({ pool: pools[0] as Pool, clock, tablePrefix });
      beforeAll(() => store().migrate());
      const cases = storeContract(async (clock) => {
        await empty(tablePrefix);
        const one = store(clock);
        await one.migrate();
        return one;
      });
      for (const { name, run } of cases) test(name, run);
    });

    if (isBrief) return;
    const tables: FreshTables = async (are) => {
      const tablePrefix = are === "bare" ? newPrefix() : await server.tables();
      let stores = 0;
      return {
        store: (more) => mysqlStore({ pool: pools[stores++ % 2] as Pool, tablePrefix, ...more }),
        run: async (statement) => rowsOf(await operator.query(statement.replaceAll("jx_", tablePrefix))),
        fixedKeys: true,
      };
    };
    sqlCases(tables);
    sqlFeedCases(tables);
  });

  /** A store over a pool of its own, and an open session in it. */
  async function begun(session: Readonly<Record<string, string>> = {}, options: PoolOptions = {}) {
    const tablePrefix = newPrefix();
    const pool = server.pool(session, options);
    await mysqlStore({ pool: operator, tablePrefix }).migrate();
    const store = mysqlStore({ pool, tablePrefix });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    const isRevoked = () => store.isRevoked(about("alice", { sid }));
    const rotate = (gen: number) => store.rotate(presented(sid, gen, fakeClock(Date.now())));
    return { tablePrefix, pool, store, sid, isRevoked, rotate };
  }
  const session = (sid: string): Revocation => ({ kind: "session", sid, until: Date.now() + 60_000 });

  it("takes a pool that calls back, too", async () => {
    const pool = createPool({ ...mysqlUser, port: server.port });
    const store = mysqlStore({ pool, tablePrefix: newPrefix() });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    expect(await store.isRevoked(about("alice", { sid }))).toBe(false);
    await new Promise((resolve) => pool.end(resolve));
  });

  it("goes by the clock of the server, wherever it is", async () => {
    const { store, sid } = await begun({ time_zone: "'+11:00'" });
    expect(Math.abs(((await store.read(sid))?.born ?? 0) - Date.now())).toBeLessThan(2_000);
  });

  it("works where transactions only read unless they say otherwise", async () => {
    const { rotate, store, sid, isRevoked } = await begun({ tx_read_only: "1" });
    expect((await rotate(0)).outcome).toBe("rotated");
    await store.revoke(session(sid));
    expect(await isRevoked()).toBe(true);
    expect(await store.purge()).toBe(0);
  });

  it("believes no connection that was given back inside of a transaction", async () => {
    const { pool, tablePrefix, sid, isRevoked } = await begun({}, { connectionLimit: 1 });
    const connection = await pool.getConnection();
    await connection.query("start transaction");
    await connection.query(`select * from ${tablePrefix}meta`);
    connection.release();
    await mysqlStore({ pool: operator, tablePrefix }).revoke(session(sid));
    expect(await isRevoked()).toBe(true);
  });

  it("calls again when its connections are ended, idle or at work, and no error goes astray", async () => {
    const { rotate, isRevoked, store, sid } = await begun();
    for (let round = 0; round < 10; round++) {
      const work = [0, 1, 2, 3].map(() => rotate(round));
      const checks = [0, 1, 2, 3].map(isRevoked);
      await server.ask("kill user jx");
      const outcomes = (await Promise.all(work)).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === "rotated").length).toBe(1);
      expect(outcomes.filter((outcome) => outcome === "raced").length).toBe(3);
      expect(await Promise.all(checks)).toEqual([false, false, false, false]);
    }
    expect((await store.read(sid))?.gen).toBe(10);
  });

  it("goes on after a deadlock, and after it waited too long for a lock", async () => {
    const { store, sid, tablePrefix, isRevoked } = await begun({ innodb_lock_wait_timeout: "1" });
    const holder = await operator.getConnection();
    await holder.query(`create table ${tablePrefix}weight (n integer)`);
    await holder.query("start transaction");
    // Of two the one that changed less is ended.
    await holder.query(`insert into ${tablePrefix}weight values ${Array.from({ length: 100 }, () => "(1)")}`);
    await holder.query(`select * from ${tablePrefix}meta where id = 1 for update`);
    const revoking = store.revoke(session(sid));
    const status = async () => rowsOf(await operator.query("show engine innodb status"))[0]?.Status as string;
    await expect.poll(status, { timeout: 5_000 }).toMatch(/LOCK WAIT/);
    await holder.query(`select * from ${tablePrefix}sessions for update`);
    expect(await status()).toMatch(/LATEST DETECTED DEADLOCK/);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await holder.query("commit");
    holder.release();
    await revoking;
    expect(await isRevoked()).toBe(true);
  });

  it("lives on where a driver tells of a lost connection twice", async () => {
    const { pool, isRevoked } = await begun({}, { connectionLimit: 1 });
    const connection = await pool.getConnection();
    for (const _ of [1, 2]) connection.connection.emit("error", new Error("lost"));
    connection.release();
    expect(await isRevoked()).toBe(false);
  });

  it("makes what is missing where a migration was broken off", async () => {
    const { tablePrefix, pool, store } = await begun();
    const names = ["meta", "sessions", "flags", "epochs", "spent", "feed", "pulse", "migrations"];
    const made = async (): Promise<string[]> => {
      const texts: string[] = [];
      for (const name of names)
        texts.push(String(rowsOf(await pool.query(`show create table ${tablePrefix}${name}`))[0]?.["Create Table"]));
      return texts.flatMap((text) => text.split(/,?\n/)).sort();
    };
    const before = await made();
    await pool.query(`drop table ${tablePrefix}pulse`);
    await pool.query(`alter table ${tablePrefix}sessions drop column address, drop index ${tablePrefix}sessions_over`);
    await pool.query(`delete from ${tablePrefix}migrations`);
    await Promise.all([1, 2, 3].map(() => mysqlStore({ pool, tablePrefix }).migrate()));
    expect(await made()).toEqual(before);
    expect(await store.list("alice")).toHaveLength(1);
  });

  it("runs with a user who may not make tables, once they are there", async () => {
    const { tablePrefix } = await begun();
    await server.ask("create or replace user app@'127.0.0.1'");
    for (const name of ["meta", "sessions", "flags", "epochs", "spent", "feed", "pulse", "migrations"])
      await server.ask(`grant select, insert, update, delete on jx.${tablePrefix}${name} to app@'127.0.0.1'`);
    const store = mysqlStore({ pool: server.pool({}, { user: "app" }), tablePrefix });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    expect((await store.rotate(presented(sid, 0, fakeClock(Date.now())))).outcome).toBe("rotated");
  });

  const started = (options: PoolOptions = {}, session: Readonly<Record<string, string>> = {}) =>
    mysqlStore({ pool: server.pool(session, options), tablePrefix: newPrefix() }).migrate();

  it("refuses what is no pool, names no database, does not commit by itself, or cannot read every name", async () => {
    expect(() => mysqlStore({ pool: {} as never })).toThrow(/pool of mysql2/);
    expect(() => mysqlStore({ pool: undefined as never })).toThrow(/pool of mysql2/);
    await expect(started({ database: "" })).rejects.toThrow(/option database/);
    await expect(started({ charset: "latin1" })).rejects.toThrow(/latin1/);
    await expect(started({}, { autocommit: "0" })).rejects.toThrow(/autocommit/);
  });

  it.each([0, 2])("refuses commits that a crash undoes (innodb_flush_log_at_trx_commit = %i)", async (value) => {
    await server.ask(`set global innodb_flush_log_at_trx_commit = ${value}`);
    await expect(started()).rejects.toThrow(/innodb_flush_log_at_trx_commit/);
    await server.ask("set global innodb_flush_log_at_trx_commit = 3");
    await started();
    await server.ask("set global innodb_flush_log_at_trx_commit = 1");
  });

  it("refuses old servers, and binary logs that would be lost or cannot be written", async () => {
    const log = ["--log-bin", "--sync-binlog=0", "--binlog-format=STATEMENT"];
    const other = await openMysql("--version=10.5.9-MariaDB", ...log);
    const starting = mysqlStore({ pool: other.pool() }).migrate();
    await expect(starting).rejects.toThrow(/10\.5\.9[\s\S]*sync_binlog[\s\S]*STATEMENT/);
    await other.close();
  });

  it("refuses Galera", async () => {
    const galera = ["--wsrep-on=ON", "--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--binlog-format=ROW"];
    const alone = ["--wsrep-cluster-address=gcomm://", "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:0"];
    const other = await openMysql(...galera, ...alone, "--wsrep-node-address=127.0.0.1");
    await expect(mysqlStore({ pool: other.pool() }).migrate()).rejects.toThrow(/Galera/);
    await other.close();
  });

  it("takes no answer from a replica, keeps no connection to one, and goes on when it is the primary again", async () => {
    const { isRevoked, rotate, store, sid, pool } = await begun({}, { connectionLimit: 1 });
    const connection = async () => rowsOf(await pool.query("select connection_id() as id"))[0]?.id;
    const first = await connection();
    await server.readOnly(true);
    await expect(isRevoked()).rejects.toThrow(/read replica/);
    const second = await connection();
    await expect(store.read(sid)).rejects.toThrow(/read replica/);
    await expect(store.feed.tip(0)).rejects.toThrow(/read replica/);
    await expect(rotate(0)).rejects.toThrow();
    await expect(store.touch(sid)).rejects.toThrow(/read-only/);
    expect(new Set([first, second, await connection()]).size).toBe(3);
    await expect(started()).rejects.toThrow(/needs the primary/);
    await server.readOnly(false);
    expect(await isRevoked()).toBe(false);
    expect((await rotate(0)).outcome).toBe("rotated");
  });

  it("rejects while the server is down, and goes on when it is back", async () => {
    const { isRevoked, rotate, store, sid } = await begun();
    const stray: unknown[] = [];
    const note = (error: unknown): void => {
      stray.push(error);
    };
    process.on("unhandledRejection", note);
    await server.stop();
    const calls = [
      isRevoked(),
      rotate(0),
      store.open(login("alice", fakeClock(Date.now()))),
      store.revoke(session(sid)),
      store.list("alice"),
      store.read(sid),
      store.touch(sid),
      store.spend("a name", Date.now()),
      store.feed.tip(0),
      store.purge(),
      started(),
    ];
    const answers = await Promise.allSettled(calls);
    expect(answers.map(({ status }) => status)).toEqual(calls.map(() => "rejected"));
    await server.start();
    expect((await rotate(0)).outcome).toBe("rotated");
    process.off("unhandledRejection", note);
    expect(stray).toEqual([]);
  });
});
