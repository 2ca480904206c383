import type { Revocation } from "jwt-extended";
import { type PostgresClient, type PostgresPool, postgresStore, type SqlStore } from "jwt-extended/postgres";
import { storeContract } from "jwt-extended/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { fakeClock } from "../../src/testing/clock.ts";
import { about, login, presented } from "../../src/testing/store-cases.ts";
import { POSTGRES, type PostgresServer, startPostgres } from "../support/postgres.ts";
import { available } from "../support/require.ts";
import { type SqlTables, sqlCases } from "./sql-cases.ts";
import { sqlFeedCases } from "./sql-feed-cases.ts";

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

    const tables = async (): Promise<SqlTables> => {
      const tablePrefix = newPrefix();
      let stores = 0;
      return {
        store: (options) => postgresStore({ pool: stores++ % 2 ? other : pool, tablePrefix, ...options }),
        run: async (statement) => (await pool.query(statement.replaceAll("jx_", tablePrefix))).rows,
      };
    };
    sqlCases(tables);
    sqlFeedCases(tables);
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
      const taking = [0, 1, 2, 3].map(() => store.spend(`name ${round}`, Date.now() + 60_000));
      await kill();
      const outcomes = (await Promise.all(work)).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === "rotated").length).toBe(1);
      expect(outcomes.filter((outcome) => outcome === "raced").length).toBe(3);
      expect(await Promise.all(checks)).toEqual([false, false, false, false]);
      expect((await Promise.all(taking)).filter(Boolean)).toHaveLength(1);
    }
    expect((await store.read(sid))?.gen).toBe(10);
  });

  it("goes on where its prepared statements are gone, or others took their names", async () => {
    const tablePrefix = newPrefix();
    const use = async (pool: pg.Pool, between: (pool: pg.Pool) => Promise<unknown>) => {
      const store = postgresStore({ pool, tablePrefix });
      const { sid } = await store.open(login("alice", fakeClock(Date.now())));
      for (let gen = 0; gen < 3; gen++) {
        expect((await store.rotate(presented(sid, gen, fakeClock(Date.now())))).outcome).toBe("rotated");
        expect(await store.isRevoked(about("alice", { sid }))).toBe(false);
        expect(await store.spend(`${sid} ${gen}`, Date.now() + 60_000)).toBe(true);
        await between(pool);
      }
    };
    let names: string[] = [];
    await use(server.pool({}, 1), async (pool) => {
      const { rows } = await pool.query("select name from pg_prepared_statements");
      if (names.length === 0) names = rows.map(({ name }) => name);
      await pool.query("deallocate all");
    });
    expect(names).toHaveLength(5);
    const taken = server.pool({}, 1);
    for (const name of names) await taken.query(`prepare ${name} as select 1 as flagged, 0 as m_seq`);
    await use(taken, async () => {});
  });

  it("does once what it was asked once, whose answer was lost", async () => {
    const pool = server.operator();
    let lost = "";
    const losing = {
      async connect() {
        const client = await pool.connect();
        return {
          async query(...args: Parameters<PostgresClient["query"]>) {
            const answer = await client.query(...(args as [never]));
            const text = typeof args[0] === "string" ? args[0] : args[0].text;
            if (lost === "" || !text.includes(lost)) return answer;
            lost = "";
            throw Object.assign(new Error("Connection terminated"), { code: "ECONNRESET" });
          },
          release: (destroy?: boolean) => client.release(destroy),
        };
      },
    };
    const store = postgresStore({ pool: losing as PostgresPool, tablePrefix: newPrefix() });
    const clock = fakeClock(Date.now());
    const { sid } = await store.open(login("alice", clock));
    lost = "set gen = s.gen + 1";
    expect((await store.rotate(presented(sid, 0, clock, { grace: 0 }))).outcome).toBe("rotated");
    expect((await store.read(sid))?.gen).toBe(1);
    lost = "do update set keep_until";
    expect(await store.spend("a name", clock() + 60_000)).toBe(true);
    expect(lost).toBe("");
    expect(await store.spend("a name", clock() + 60_000)).toBe(false);
  });

  it("holds nobody up where a process stops in the middle of a change", async () => {
    const pool = server.pool();
    const tablePrefix = newPrefix();
    let stopped: (() => void) | undefined;
    let goOn = (): void => {};
    const going = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const halting = {
      connect: async () =>
        new Proxy(await pool.connect(), {
          get(client, name) {
            const found = Reflect.get(client, name);
            if (typeof found !== "function") return found;
            return async (...args: unknown[]) => {
              const answer = await found.apply(client, args);
              if (name !== "query" || !String(args[0]).includes("for update") || !stopped) return answer;
              stopped();
              await going;
              return answer;
            };
          },
        }),
      on: pool.on.bind(pool),
    };
    const store = postgresStore({ pool: halting as unknown as PostgresPool, tablePrefix });
    const other = postgresStore({ pool: server.pool(), tablePrefix });
    const clock = fakeClock(Date.now());
    const { sid } = await store.open(login("alice", clock));
    await store.rotate(presented(sid, 0, clock));
    const held = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const racing = store.rotate(presented(sid, 0, clock));
    await held;
    stopped = undefined;
    await other.revoke({ kind: "session", sid, until: clock() + 60_000 });
    goOn();
    expect((await racing).outcome).toBe("session_ended");
    expect(await store.isRevoked(about("alice", { sid }))).toBe(true);
  });

  it("works where transactions only read unless they say otherwise", async () => {
    const pool = server.pool({ default_transaction_read_only: "on" });
    const store = postgresStore({ pool, tablePrefix: newPrefix() });
    const clock = fakeClock(Date.now());
    const { sid } = await store.open(login("alice", clock));
    for (const gen of [0, 1]) expect((await store.rotate(presented(sid, gen, clock))).outcome).toBe("rotated");
    expect(await store.spend("a name", clock() + 60_000)).toBe(true);
    expect(await store.spend("a name", clock() + 60_000)).toBe(false);
    expect((await store.feed.tip(0)).seq).toBe(0);
  });

  it.each(["subject", "everything"] as const)("ends by %s what is being rotated meanwhile", async (kind) => {
    const tablePrefix = newPrefix();
    const [one, two] = [0, 1].map(() => postgresStore({ pool: server.pool(), tablePrefix })) as [SqlStore, SqlStore];
    const { sid } = await one.open(login("alice", fakeClock(Date.now())));
    const [operator, holder] = [server.operator(), await server.operator().connect()];
    await holder.query(`begin; select 1 from ${tablePrefix}sessions for update`);
    const rotating = one.rotate(presented(sid, 0, fakeClock(Date.now())));
    const waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like 'update%sessions%'";
    await expect.poll(async () => (await operator.query(waits)).rows.length, { timeout: 10_000 }).toBe(1);
    const ending: Revocation = { kind, subject: "alice", until: Date.now() + 60_000 };
    await two.revoke(ending);
    await holder.query("commit");
    holder.release();
    const { outcome } = await rotating;
    expect(["rotated", "session_ended"]).toContain(outcome);
    for (const each of [one, two]) {
      expect(await each.isRevoked(about("alice", { sid }))).toBe(true);
      for (const gen of [0, 1, 2])
        expect((await each.rotate(presented(sid, gen, fakeClock(Date.now())))).outcome).toBe("session_ended");
    }
  });

  it("watches over a connection of its own, again when it is lost, until the pool ends", async () => {
    const tablePrefix = newPrefix();
    const operator = server.operator();
    const pool = server.pool({ application_name: "watched" }, 1);
    const store = postgresStore({ pool, tablePrefix });
    const other = postgresStore({ pool: server.pool(), tablePrefix });
    await store.migrate();
    let heard = 0;
    store.feed.watch?.(() => heard++);
    const hears = async (): Promise<void> => {
      const before = heard;
      const revoked = async (): Promise<number> => {
        await other.revoke({ kind: "key", kid: "k", until: Date.now() + 60_000 });
        return heard;
      };
      await expect.poll(revoked, { timeout: 5_000 }).toBeGreaterThan(before + 1);
    };
    await hears();
    const listeners = `from pg_stat_activity where query like 'listen%' and application_name = 'watched'`;
    await operator.query(`select pg_terminate_backend(pid) ${listeners}`);
    await hears();
    await pool.end();
    await expect
      .poll(async () => (await operator.query(`select 1 ${listeners}`)).rows.length, { timeout: 5_000 })
      .toBe(0);
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
    for (const name of ["meta", "sessions", "flags", "epochs", "spent", "feed", "pulse", "migrations"]) {
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
    await expect(store.spend("a name", Date.now() + 60_000)).rejects.toThrow();
    await expect(store.feed.tip(0)).rejects.toThrow();
    await expect(store.feed.since(0, 0, 1)).rejects.toThrow(/read replica/);
    await expect(store.feed.live(0, undefined, 1)).rejects.toThrow(/read replica/);
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
      store.spend("a name", Date.now() + 60_000),
      store.feed.tip(0),
      store.feed.since(0, 0, 1),
      store.feed.live(0, undefined, 1),
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
