import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { memoryStore, type TokenStore } from "jwt-extended";
import { mysqlStore } from "jwt-extended/mysql";
import { postgresStore } from "jwt-extended/postgres";
import { redisStore } from "jwt-extended/redis";
import { sqliteStore } from "jwt-extended/sqlite";
import Database from "libsql";
import { hasMysql, type MysqlLab, openMysql } from "./mysql.ts";
import { POSTGRES, type PostgresServer, startPostgres } from "./postgres.ts";
import { CLIENTS, hasRedis, type OpenClient, type RedisServer, startRedis } from "./redis.ts";

/** Something that happens to a store for a while. */
export interface Trouble {
  begin(): Promise<void>;
  end(): Promise<void>;
  /** What still works: nothing; checks; or checks, and of the rest whatever still finds room. @default nothing */
  readonly leaves?: "checks" | "some";
  /** Nobody is logged in afterwards. */
  readonly forgets?: true;
}

/** Puts a store back as it was when the copy was made. */
export interface Copy {
  /** Only what it knew of sessions. */
  sessions(): Promise<void>;
  /** All of it; absent where a store only loses everything at once. */
  readonly all?: () => Promise<void>;
}

/** A store of one test that is there for a moment already, and what can happen to it. */
export interface Given {
  readonly store: TokenStore;
  /** Another store over the same data, as another process has it. A memory store has no other. */
  other(): TokenStore;
  /** Loses all its data, and goes on. */
  empty(): Promise<void>;
  /** Copies what it holds. @param sid A session that matters */
  copy(sid: string): Promise<Copy>;
  readonly troubles: Readonly<Record<string, Trouble>>;
}

/** One kind of store, with the server that it may need. */
export interface StoreKit {
  readonly name: string;
  /** What has to be on the machine; `undefined` where nothing has to. */
  readonly needs: { readonly what: string; readonly present: boolean } | undefined;
  /** Whether it sees that it was put back to before a revocation, so that everybody must log in again. */
  readonly noticesOldCopies: boolean;
  /** The names of the troubles of its stores. */
  readonly troubles: readonly string[];
  begin(): Promise<void>;
  end(): Promise<void>;
  make(clock: () => number): Promise<Given>;
}

const nothing = async (): Promise<void> => {};

type Row = Readonly<Record<string, unknown>>;
type Run = (statement: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

/** What the tables hold is not what is looked for. */
function strangeTables(prefix: string, run: Run): Trouble {
  const rename = (from: string, to: string) => async (): Promise<void> => {
    await run(`alter table ${prefix}meta rename column ${from} to ${to}`);
  };
  return { begin: rename("generation", "other"), end: rename("other", "generation") };
}

/** Copies tables, whatever they hold. */
async function copyTables(names: readonly string[], run: Run): Promise<Copy> {
  const held = new Map<string, readonly Row[]>();
  for (const name of names) held.set(name, await run(`select * from ${name}`));
  const put = async (name: string): Promise<void> => {
    await run(`delete from ${name}`);
    for (const row of held.get(name) ?? []) {
      const places = Object.keys(row).map((_, at) => `$${at + 1}`);
      await run(`insert into ${name} (${Object.keys(row)}) values (${places})`, Object.values(row));
    }
  };
  return {
    async sessions() {
      for (const name of names) if (name.endsWith("sessions")) await put(name);
    },
    async all() {
      for (const name of names) await put(name);
    },
  };
}

export const memoryKit: StoreKit = {
  name: "memory",
  needs: undefined,
  noticesOldCopies: true,
  troubles: ["out of service"],
  begin: nothing,
  end: nothing,
  async make(clock) {
    let inner = memoryStore({ clock });
    let isDown = false;
    const call = (name: string) => [
      name,
      (...args: unknown[]) => {
        if (isDown) throw new Error("out of service");
        return (inner as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args);
      },
    ];
    const store = Object.fromEntries(Object.keys(inner).map(call)) as unknown as TokenStore;
    const empty = async (): Promise<void> => {
      inner = memoryStore({ clock });
    };
    const turn = (down: boolean) => async (): Promise<void> => {
      isDown = down;
    };
    const copy = async (sid: string): Promise<Copy> => {
      const row = { ...(await inner.read(sid)) };
      return { sessions: async () => void Object.assign((await inner.read(sid)) ?? {}, row) };
    };
    return {
      store,
      other: () => store,
      empty,
      copy,
      troubles: { "out of service": { begin: turn(true), end: turn(false) } },
    };
  },
};

export function sqliteKit(): StoreKit {
  const folder = mkdtempSync(join(tmpdir(), "jx-sqlite-"));
  const opened: Database.Database[] = [];
  const open = (name: string): Database.Database => {
    const database = new Database(name);
    opened.push(database);
    return database;
  };
  let files = 0;
  return {
    name: "SQLite",
    needs: undefined,
    noticesOldCopies: true,
    troubles: ["closed", "locked", "on a full disk", "without its file", "with tables of another kind"],
    begin: nothing,
    async end() {
      for (const database of opened.splice(0)) if (database.open) database.close();
      rmSync(folder, { recursive: true, force: true });
    },
    async make(clock) {
      const name = join(folder, `${++files}.db`);
      let here = open(name);
      // The application opens the file again, and the store goes on with it.
      const database = {
        prepare: (statement: string) => here.prepare(statement),
        exec: (statement: string) => here.exec(statement),
        close: () => here.close(),
      };
      const store = sqliteStore({ database, clock });
      await store.migrate();
      let other: Database.Database | undefined;
      const beside = open(name);
      const tables = (): string[] => {
        const found = beside.prepare("select name from sqlite_master where name glob 'jx_*' and type = 'table'").all();
        return (found as { name: string }[]).map((table) => table.name);
      };
      const run = async (statement: string, values: readonly unknown[] = []): Promise<Row[]> => {
        const prepared = beside.prepare(statement.replace(/\$\d+/g, "?"));
        // It answers bytes as what it does not take.
        const bound = values.map((value) => (value instanceof ArrayBuffer ? Buffer.from(value) : value));
        if (prepared.reader) return prepared.all(...bound) as Row[];
        prepared.run(...bound);
        return [];
      };
      const reopen = async (): Promise<void> => {
        here = open(name);
      };
      const fill = (bytes: number): void => {
        try {
          for (;;) here.exec(`insert into filling values (zeroblob(${bytes}))`);
        } catch {
          // Full, for this size.
        }
      };
      return {
        store,
        other: () => sqliteStore({ database: open(name), clock }),
        async empty() {
          for (const table of tables()) beside.exec(`delete from ${table}`);
        },
        copy: () => copyTables(tables(), run),
        troubles: {
          closed: {
            begin: async () => void here.close(),
            end: reopen,
          },
          locked: {
            async begin() {
              other = open(name);
              other.exec("begin exclusive");
            },
            end: async () => void other?.exec("rollback"),
            leaves: "checks",
          },
          "on a full disk": {
            async begin() {
              here.exec("create table filling (filled blob)");
              const [{ page_count: pages }] = here.prepare("pragma page_count").all() as [{ page_count: number }];
              here.prepare(`pragma max_page_count = ${pages + 8}`).all();
              for (let bytes = 4_096; bytes > 64; bytes /= 2) fill(bytes);
            },
            async end() {
              here.prepare("pragma max_page_count = 1000000").all();
            },
            leaves: "some",
          },
          "without its file": {
            begin: async () => {
              for (const end of ["", "-wal", "-shm"]) rmSync(name + end, { force: true });
            },
            end: reopen,
            forgets: true,
          },
          "with tables of another kind": strangeTables("jx_", run),
        },
      };
    },
  };
}

export function postgresKit(): StoreKit {
  let server: PostgresServer;
  let pools: readonly ReturnType<PostgresServer["pool"]>[];
  let prefixes = 0;
  return {
    name: "PostgreSQL",
    needs: { what: "PostgreSQL (set PG_BIN)", present: POSTGRES !== undefined },
    noticesOldCopies: true,
    troubles: ["stopped", "hung", "a read replica", "with tables of another kind"],
    async begin() {
      server = await startPostgres();
      pools = [server.pool({}, 6), server.pool({}, 6)];
    },
    end: async () => server?.close(),
    async make(clock) {
      const tablePrefix = `t${++prefixes}_`;
      const [pool, beside] = pools as [(typeof pools)[0], (typeof pools)[0]];
      const store = postgresStore({ pool, tablePrefix, clock });
      await store.migrate();
      const tables = async (): Promise<string[]> => {
        const { rows } = await pool.query("select tablename from pg_tables where starts_with(tablename, $1)", [
          tablePrefix,
        ]);
        return rows.map(({ tablename }) => tablename);
      };
      const run = async (statement: string, values: readonly unknown[] = []): Promise<Row[]> =>
        (await pool.query(statement, [...values])).rows;
      return {
        store,
        other: () => postgresStore({ pool: beside, tablePrefix, clock }),
        async empty() {
          for (const table of await tables()) await pool.query(`delete from ${table}`);
        },
        copy: async () => copyTables(await tables(), run),
        troubles: {
          stopped: { begin: () => server.stop(), end: () => server.start() },
          hung: { begin: async () => server.signal("SIGSTOP"), end: async () => server.signal("SIGCONT") },
          "a read replica": { begin: () => server.restart("replica"), end: () => server.restart("primary") },
          "with tables of another kind": strangeTables(tablePrefix, run),
        },
      };
    },
  };
}

export function mysqlKit(): StoreKit {
  let server: MysqlLab;
  let pools: readonly ReturnType<MysqlLab["pool"]>[];
  return {
    name: "MariaDB",
    needs: { what: "mariadbd", present: hasMysql() },
    noticesOldCopies: true,
    troubles: ["stopped", "hung", "a read replica", "with tables of another kind"],
    async begin() {
      server = await openMysql();
      pools = [0, 1].map(() => server.pool({}, { connectionLimit: 6 }));
    },
    end: async () => server?.close(),
    async make(clock) {
      const tablePrefix = await server.tables();
      const [pool, beside] = pools as [(typeof pools)[0], (typeof pools)[0]];
      const store = mysqlStore({ pool, tablePrefix, clock });
      await store.migrate();
      const run = async (statement: string, values: readonly unknown[] = []): Promise<Row[]> =>
        (await pool.query(statement.replace(/\$\d+/g, "?"), [...values]))[0] as Row[];
      const found = await run("select table_name as name from information_schema.tables where table_name like $1", [
        `${tablePrefix}%`,
      ]);
      const tables = found.map(({ name }) => String(name));
      return {
        store,
        other: () => mysqlStore({ pool: beside, tablePrefix, clock }),
        async empty() {
          for (const table of tables) await run(`delete from ${table}`);
        },
        copy: () => copyTables(tables, run),
        troubles: {
          stopped: { begin: () => server.stop(), end: () => server.start() },
          hung: { begin: async () => server.hang(), end: async () => server.resume() },
          "a read replica": { begin: () => server.readOnly(true), end: () => server.readOnly(false) },
          "with tables of another kind": strangeTables(tablePrefix, run),
        },
      };
    },
  };
}

export function redisKit(): StoreKit {
  let server: RedisServer;
  let operator: Redis;
  const clients: OpenClient[] = [];
  let stores = 0;
  const next = (): OpenClient["client"] => (clients[stores++ % clients.length] as OpenClient).client;
  return {
    name: "Redis",
    needs: { what: "redis-server", present: hasRedis },
    noticesOldCopies: false,
    troubles: ["stopped", "hung", "a read replica", "with values of another type"],
    async begin() {
      server = await startRedis("--appendonly", "yes");
      operator = new Redis(server.port, "127.0.0.1").on("error", () => {});
      for (const open of Object.values(CLIENTS)) clients.push(await open(server.port));
    },
    async end() {
      operator?.disconnect();
      for (const client of clients.splice(0)) client.close();
      await server?.close();
    },
    async make(clock) {
      const prefix = `t:${randomUUID()}`;
      const another = () => redisStore({ client: next(), prefix, clock, warn: () => {} });
      const store = another();
      await store.ready();
      const keys = () => operator.keys(`${prefix}*`);
      const copy = async () => {
        const held = new Map<string, Buffer>();
        for (const key of await keys()) held.set(key, (await operator.dumpBuffer(key)) as Buffer);
        const put = async (isMeant: (key: string) => boolean): Promise<void> => {
          for (const key of await keys()) if (isMeant(key)) await operator.del(key);
          for (const [key, value] of held) if (isMeant(key)) await operator.restore(key, 0, value);
        };
        return { sessions: () => put((key) => /:(sessions|index|due)$/.test(key)), all: () => put(() => true) };
      };
      let before: Copy | undefined;
      return {
        store,
        other: another,
        empty: async () => void (await server.command("FLUSHALL")),
        copy,
        troubles: {
          stopped: { begin: () => server.stop(), end: () => server.start() },
          hung: { begin: async () => server.signal("SIGSTOP"), end: async () => server.signal("SIGCONT") },
          "a read replica": {
            // Of a primary that is not there: it keeps what it has.
            begin: async () => void (await server.command("REPLICAOF", "127.0.0.1", "1")),
            end: async () => void (await server.command("REPLICAOF", "NO", "ONE")),
          },
          "with values of another type": {
            async begin() {
              before = await copy();
              for (const key of await keys()) await operator.set(key, "another");
            },
            end: async () => before?.all?.(),
          },
        },
      };
    },
  };
}
