import { postgresStore } from "jwt-extended/postgres";
import { storeContract } from "jwt-extended/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { fakeClock } from "../../src/testing/clock.ts";
import { about, login, presented } from "../../src/testing/store-cases.ts";
import { POSTGRES, type PostgresServer, startPostgres } from "../support/postgres.ts";
import { available } from "../support/require.ts";
import { type SqlTables, sqlCases } from "./sql-cases.ts";

const LEVELS = ["read committed", "repeatable read", "serializable"];
let prefixes = 0;
const newPrefix = (): string => `t${++prefixes}_`;

describe.skipIf(!available("PostgreSQL (set PG_BIN)", POSTGRES !== undefined))("the PostgreSQL store", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.close());

  describe.each(LEVELS)("where the server's default is %s", (level) => {
    const settings = { default_transaction_isolation: level };
    let pool: pg.Pool;
    let other: pg.Pool;
    beforeAll(async () => {
      pool = server.pool(settings);
      other = server.pool(settings, 5);
      const { rows } = await pool.query("show transaction_isolation");
      expect(rows).toEqual([{ transaction_isolation: level }]);
    });

    afterAll(() => Promise.all([pool.end(), other.end()]));

    describe("keeps the contract", () => {
      const cases = storeContract(async (clock) => {
        const store = postgresStore({ pool, clock, tablePrefix: newPrefix() });
        await store.migrate();
        return store;
      });
      for (const { name, run } of cases) test(name, run);
    });

    sqlCases(async (): Promise<SqlTables> => {
      const tablePrefix = newPrefix();
      let stores = 0;
      return {
        store: (options) => postgresStore({ pool: stores++ % 2 ? other : pool, tablePrefix, ...options }),
        run: async (statement) => (await pool.query(statement.replaceAll("jx_", tablePrefix))).rows,
      };
    });
  });

  it("goes by the clock of the server", async () => {
    const store = postgresStore({ pool: server.pool(), tablePrefix: newPrefix() });
    const { born } = await store.open(login("alice", fakeClock(0), { absoluteEnd: Number.POSITIVE_INFINITY }));
    expect(Math.abs(born - Date.now())).toBeLessThan(2_000);
  });

  it("calls again when its connections are ended, idle or at work, and no error goes astray", async () => {
    const pool = server.pool();
    const operator = server.operator();
    const store = postgresStore({ pool, tablePrefix: newPrefix() });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    const kill = () =>
      operator.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
      );
    for (let round = 0; round < 10; round++) {
      const clock = fakeClock(Date.now());
      const work = [0, 1, 2, 3].map(() => store.rotate(presented(sid, round, clock)));
      const checks = [0, 1, 2, 3].map(() => store.isRevoked(about("alice", { sid })));
      await kill();
      const outcomes = (await Promise.all(work)).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === "rotated").length).toBe(1);
      expect(outcomes.filter((outcome) => outcome === "raced").length).toBe(3);
      expect(await Promise.all(checks)).toEqual([false, false, false, false]);
    }
    expect((await store.read(sid))?.gen).toBe(10);
  });

  it("refuses to start without durable commits, and with what is no pool", async () => {
    const pool = server.pool({ synchronous_commit: "off" });
    await expect(postgresStore({ pool, tablePrefix: newPrefix() }).migrate()).rejects.toThrow(/synchronous_commit/);
    expect(() => postgresStore({ pool: {} as never })).toThrow(/Pool/);
  });

  it("refuses a database whose encoding cannot hold every name", async () => {
    const operator = server.operator();
    await operator.query("create database latin encoding 'LATIN1' locale 'C' template template0");
    const { options } = operator as unknown as { options: object };
    const pool = new pg.Pool({ ...options, database: "latin" });
    await expect(postgresStore({ pool }).migrate()).rejects.toThrow(/LATIN1/);
    await pool.end();
  });

  it("runs with a role that may not make tables, once they are there", async () => {
    const operator = server.operator();
    const tablePrefix = newPrefix();
    await postgresStore({ pool: operator, tablePrefix }).migrate();
    await operator.query("create role app login");
    for (const name of ["meta", "sessions", "flags", "epochs", "migrations"]) {
      await operator.query(`grant select, insert, update, delete on ${tablePrefix}${name} to app`);
    }
    const { options } = operator as unknown as { options: object };
    const pool = new pg.Pool({ ...options, user: "app" });
    const store = postgresStore({ pool, tablePrefix });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    expect((await store.rotate(presented(sid, 0, fakeClock(Date.now())))).outcome).toBe("rotated");
    await pool.end();
  });

  it("takes no answer from a read replica", async () => {
    const store = postgresStore({ pool: server.pool(), tablePrefix: newPrefix() });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    await server.restart("replica");
    await expect(store.isRevoked(about("alice", { sid }))).rejects.toThrow(/read replica/);
    await expect(store.read(sid)).rejects.toThrow(/read replica/);
    await expect(store.rotate(presented(sid, 0, fakeClock(Date.now())))).rejects.toThrow();
    await expect(postgresStore({ pool: server.pool() }).migrate()).rejects.toThrow(/needs the primary/);
    await server.restart("primary");
    expect(await store.isRevoked(about("alice", { sid }))).toBe(false);
  });

  it("rejects while the server is down, and goes on when it is back", async () => {
    const store = postgresStore({ pool: server.pool(), tablePrefix: newPrefix() });
    const { sid } = await store.open(login("alice", fakeClock(Date.now())));
    const stray: unknown[] = [];
    const note = (error: unknown): void => {
      stray.push(error);
    };
    process.on("unhandledRejection", note);
    await server.stop();
    const clock = fakeClock(Date.now());
    const calls = [
      store.isRevoked(about("alice", { sid })),
      store.rotate(presented(sid, 0, clock)),
      store.open(login("alice", clock)),
      store.revoke({ kind: "session", sid, until: Date.now() }),
      store.list("alice"),
      store.read(sid),
      store.touch(sid),
      store.purge(),
      postgresStore({ pool: server.pool() }).migrate(),
    ];
    const answers = await Promise.allSettled(calls);
    expect(answers.map(({ status }) => status)).toEqual(calls.map(() => "rejected"));
    await server.start();
    expect((await store.rotate(presented(sid, 0, clock))).outcome).toBe("rotated");
    process.off("unhandledRejection", note);
    expect(stray).toEqual([]);
  });
});
