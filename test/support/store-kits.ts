import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore, type TokenStore } from "jwt-extended";
import { postgresStore } from "jwt-extended/postgres";
import { redisStore } from "jwt-extended/redis";
import { sqliteStore } from "jwt-extended/sqlite";
import type { FakeClock } from "jwt-extended/testing";
import Database from "libsql";
import { POSTGRES, type PostgresServer, startPostgres } from "./postgres.ts";
import { CLIENTS, hasRedis, type OpenClient, type RedisServer, startRedis } from "./redis.ts";

/** A store of one test that is there for a moment already, and what can happen to it. */
export interface Given {
  readonly store: TokenStore;
  /** Another store over the same data, as another process has it. A memory store has no other. */
  other(): TokenStore;
  /** Loses all its data, and goes on. */
  empty(): Promise<void>;
  /** Is gone until `start`, with its data kept. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** One kind of store, with the server that it may need. */
export interface StoreKit {
  readonly name: string;
  /** What has to be on the machine; `undefined` where nothing has to. */
  readonly needs: { readonly what: string; readonly present: boolean } | undefined;
  begin(): Promise<void>;
  end(): Promise<void>;
  make(clock: FakeClock): Promise<Given>;
}

const nothing = async (): Promise<void> => {};
const TABLES = ["meta", "sessions", "flags", "epochs", "migrations"];

export const memoryKit: StoreKit = {
  name: "memory",
  needs: undefined,
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
    return { store, other: () => store, empty, stop: turn(true), start: turn(false) };
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
      return {
        store,
        other: () => sqliteStore({ database: open(name), clock }),
        async empty() {
          const beside = open(name);
          for (const table of TABLES) beside.exec(`delete from jx_${table}`);
        },
        async stop() {
          here.close();
        },
        async start() {
          here = open(name);
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
      return {
        store,
        other: () => postgresStore({ pool: beside, tablePrefix, clock }),
        async empty() {
          for (const table of TABLES) await pool.query(`delete from ${tablePrefix}${table}`);
        },
        stop: () => server.stop(),
        start: () => server.start(),
      };
    },
  };
}

export function redisKit(): StoreKit {
  let server: RedisServer;
  const clients: OpenClient[] = [];
  let stores = 0;
  const next = (): OpenClient["client"] => (clients[stores++ % clients.length] as OpenClient).client;
  return {
    name: "Redis",
    needs: { what: "redis-server", present: hasRedis },
    async begin() {
      server = await startRedis("--appendonly", "yes");
      for (const open of Object.values(CLIENTS)) clients.push(await open(server.port));
    },
    async end() {
      for (const client of clients.splice(0)) client.close();
      await server?.close();
    },
    async make(clock) {
      const prefix = `t:${randomUUID()}`;
      const another = () => redisStore({ client: next(), prefix, clock, warn: () => {} });
      const store = another();
      await store.ready();
      return {
        store,
        other: another,
        empty: async () => void (await server.command("FLUSHALL")),
        stop: () => server.stop(),
        start: () => server.start(),
      };
    },
  };
}
