import { sql } from "kysely";
import { RateLimiterMySQL, RateLimiterPostgres, RateLimiterSQLite } from "rate-limiter-flexible";
import { guardedPool as guardedMysql, type MysqlPool } from "../../stores/sql/mysql-pool.ts";
import { guardedPool, type PostgresPool } from "../../stores/sql/postgres-pool.ts";
import { connectionOf, type SqliteDatabase } from "../../stores/sql/sqlite-connection.ts";
import type { NodeSqliteDatabase } from "../../stores/sql/sqlite-node.ts";
import type { Limiter, LimitRule, MakeLimiter } from "../limits.ts";
import type { AccountRunner } from "./runner.ts";
import type { AccountNames } from "./tables.ts";

/** The limiters of one database. */
export interface SqlLimiter {
  /** Whether there is but one connection, on which no transaction of ours may be open meanwhile. */
  readonly isShared: boolean;
  /** Makes one over our table, which is there already. */
  make(rule: LimitRule & { readonly keyPrefix: string; readonly tableName: string }): Limiter;
}

/** Milliseconds between two removals of what is forgotten. */
const PURGE_EVERY = 60_000;

/** Counts in a table of the same database. */
export function sqlLimits(runner: AccountRunner, { nameOf, limits }: AccountNames, of: SqlLimiter): MakeLimiter {
  let purgedAt = Date.now();
  const inLine = async <T>(work: () => Promise<T>): Promise<T> => {
    if (Date.now() - purgedAt > PURGE_EVERY) {
      purgedAt = Date.now();
      await runner.ask((db) => sql`delete from ${limits} where expire < ${purgedAt}`.execute(db));
    }
    // Where each call takes a connection of its own, none may be held meanwhile: a pool would run dry.
    return runner.ask((db) => (of.isShared ? db.connection().execute(work) : work()));
  };
  return (rule) => {
    const limiter = of.make({ ...rule, tableName: nameOf("limits") });
    return {
      consume: (key, points, options) => inLine(() => limiter.consume(key, points, options)),
      reward: (key, points) => inLine(() => limiter.reward(key, points)),
    };
  };
}

/** @param database of libsql, better-sqlite3 or node:sqlite: what they differ in is hidden from the limiter */
export function sqliteLimiter(database: SqliteDatabase | NodeSqliteDatabase): SqlLimiter {
  const connection = connectionOf(database);
  /** Runs without a wait for the disk, which would take longer than all else in a login: a power cut may take back the last counts. */
  const unflushed = <T>(work: () => T): T => {
    connection.exec("pragma synchronous = normal");
    try {
      return work();
    } finally {
      connection.exec("pragma synchronous = full");
    }
  };
  const client = {
    prepare(text: string) {
      const prepared = connection.prepare(text);
      return {
        get: (...given: unknown[]) => unflushed(() => prepared.all(given)[0]),
        run: (...given: unknown[]) => unflushed(() => prepared.run(given)),
      };
    },
    // It asks for a transaction around a single statement.
    transaction: (work: () => unknown) => work,
  };
  const own = { storeClient: client, storeType: "better-sqlite3", tableCreated: true };
  return { isShared: true, make: (rule) => new RateLimiterSQLite({ ...rule, ...own }) };
}

/** Statements are sent as a whole: prepared ones do not live through a pooler in transaction mode. */
export function postgresLimiter(pool: PostgresPool): SqlLimiter {
  const guarded = guardedPool(pool);
  const client = {
    async query({ text, values }: { readonly text: string; readonly values: readonly unknown[] }) {
      const connection = await guarded.connect();
      try {
        return await connection.query(text, values);
      } finally {
        connection.release();
      }
    },
  };
  const own = { storeClient: client, storeType: "client", tableCreated: true, clearExpiredByTimeout: false };
  return { isShared: false, make: (rule) => new RateLimiterPostgres({ ...rule, ...own }) };
}

type Tell = (error: unknown, rows?: unknown) => void;

/** The connections are those of the pool's own database: what the limiter puts in front of the table is left out. */
export function mysqlLimiter(pool: MysqlPool): SqlLimiter {
  const guarded = guardedMysql(pool);
  const clientOf = (table: string) => ({
    getConnection(callback: (error: unknown, connection?: object) => void): void {
      guarded.getConnection((error, connection) => {
        if (error || connection === undefined) return callback(error);
        // `BEGIN` and `COMMIT` come without values.
        const query = (text: string, ...[given, tell]: [Tell] | [readonly unknown[], Tell]): void =>
          typeof given === "function"
            ? connection.query(text.toLowerCase(), [], given)
            : connection.query(text.replace("??.??", `\`${table}\``), given.slice(2), tell as Tell);
        const rollback = (): void => connection.query("rollback", [], () => {});
        callback(null, { query, rollback, release: () => connection.release() });
      });
    },
  });
  const own = { storeType: "pool", tableCreated: true, clearExpiredByTimeout: false };
  return {
    isShared: false,
    make: (rule) => new RateLimiterMySQL({ ...rule, ...own, storeClient: clientOf(rule.tableName) }),
  };
}
