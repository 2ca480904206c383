import { sql } from "kysely";
import { RateLimiterMySQL, RateLimiterPostgres, RateLimiterSQLite } from "rate-limiter-flexible";
import type { Database } from "../../stores/sql/engine.ts";
import { guardedPool as guardedMysql, type MysqlPool } from "../../stores/sql/mysql-pool.ts";
import { guardedPool, type PostgresPool } from "../../stores/sql/postgres-pool.ts";
import { connectionOf, groupedWrites, type SqliteDatabase } from "../../stores/sql/sqlite-connection.ts";
import type { NodeSqliteDatabase } from "../../stores/sql/sqlite-node.ts";
import { Late, type Statement } from "../../stores/sql/statement.ts";
import type { Limiter, LimitRule, MakeLimiter } from "../limits.ts";
import type { AccountRunner } from "./runner.ts";
import type { AccountNames } from "./tables.ts";

/** Makes the limiters of one database, over our table, which is there already. */
export type SqlLimiter = (rule: LimitRule & { readonly keyPrefix: string; readonly tableName: string }) => Limiter;

/** Milliseconds between two removals of what is forgotten. */
const PURGE_EVERY = 60_000;

/** Counts in a table of the same database. */
export function sqlLimits(runner: AccountRunner, { nameOf, limits }: AccountNames, make: SqlLimiter): MakeLimiter {
  let purgedAt = Date.now();
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    if (Date.now() - purgedAt > PURGE_EVERY) {
      purgedAt = Date.now();
      await runner.ask((db) => sql`delete from ${limits} where expire < ${purgedAt}`.execute(db));
    }
    return runner.ask(work);
  };
  return (rule) => {
    const limiter = make({ ...rule, tableName: nameOf("limits") });
    return {
      consume: (key, points, options) => call(() => limiter.consume(key, points, options)),
      reward: (key, points) => call(() => limiter.reward(key, points)),
    };
  };
}

/**
 * @param database of libsql, better-sqlite3 or node:sqlite: what they differ in is hidden from the limiter
 * @param db the same, in whose line each call waits
 */
export function sqliteLimiter(database: SqliteDatabase | NodeSqliteDatabase, db: Database): SqlLimiter {
  const connection = connectionOf(database);
  // Without a wait for the disk, which would take longer than all else in a login: a power cut may take back the last counts.
  const write = groupedWrites(connection, (work) =>
    db.connection().execute(async () => {
      connection.exec("pragma synchronous = normal");
      try {
        work();
      } finally {
        connection.exec("pragma synchronous = full");
      }
    }),
  );
  const statements = new Map<string, Statement>();
  const client = {
    prepare(text: string) {
      const statement = statements.get(text) ?? inOrder(text);
      statements.set(text, statement);
      return { get: (...values: unknown[]) => write(statement, { ...values }) };
    },
    // It asks for a transaction around a single statement.
    transaction: (work: () => unknown) => work,
  };
  const own = { storeClient: client, storeType: "better-sqlite3", tableCreated: true };
  return (rule) => new RateLimiterSQLite({ ...rule, ...own });
}

/** A statement whose parameters are given in their order. */
function inOrder(text: string): Statement {
  const parameters = text.match(/\?/g)?.map((_, at) => new Late((values) => values[at])) ?? [];
  return { text, parameters, name: text };
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
  return (rule) => new RateLimiterPostgres({ ...rule, ...own });
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
  return (rule) => new RateLimiterMySQL({ ...rule, ...own, storeClient: clientOf(rule.tableName) });
}
