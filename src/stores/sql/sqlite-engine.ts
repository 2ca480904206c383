import { Kysely, SqliteDialect, sql } from "kysely";
import { ConfigError } from "../../errors.ts";
import { type Database, type Engine, faultOf, readClock } from "./engine.ts";
import { type NodeSqliteDatabase, readable } from "./sqlite-node.ts";

/** What is needed of an open database: better-sqlite3 and libsql have it. */
export interface SqliteDatabase {
  prepare(statement: string): SqliteStatement;
  exec(statement: string): unknown;
  close(): unknown;
}

/** A statement that is prepared. */
export interface SqliteStatement {
  readonly reader: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the drivers type their rows and parameters in ways that have no common type
  all(...parameters: any[]): any[];
  // biome-ignore lint/suspicious/noExplicitAny: as above
  run(...parameters: any[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  // biome-ignore lint/suspicious/noExplicitAny: as above
  iterate?(...parameters: any[]): any;
}

/**
 * The database with statements that answer nothing run at once: a prepared `begin` that found the database locked stays
 * half done in libsql, and no later transaction on the connection can be committed.
 */
function executing(database: SqliteDatabase | NodeSqliteDatabase) {
  return {
    close: () => {},
    prepare(statement: string) {
      if (!/^(begin|commit|rollback|pragma \w+ = )/.test(statement))
        return readable(database.prepare(statement), statement);
      const run = () => {
        database.exec(statement);
        return { changes: 0, lastInsertRowid: 0 };
      };
      return { reader: false, run };
    },
  };
}

/** Milliseconds. How long a writer is waited for; in between other requests are served. */
const BUSY_FOR = 1_000;

/** @param clock Milliseconds; SQLite has no clock but the host's. */
export function sqliteEngine(
  database: SqliteDatabase | NodeSqliteDatabase,
  clock: () => number,
): { db: Database; engine: Engine } {
  if (typeof database?.prepare !== "function" || typeof database.exec !== "function") {
    throw new ConfigError(["database must be an open database of better-sqlite3, libsql or node:sqlite."]);
  }
  type Opened = ConstructorParameters<typeof SqliteDialect>[0]["database"];
  const db: Database = new Kysely({
    dialect: new SqliteDialect({ database: executing(database) as unknown as Opened }),
  });
  const nothing = sql``;
  const engine: Engine = {
    // A deferred transaction that reads and then writes fails with BUSY_SNAPSHOT where another wrote in between.
    begin: "begin immediate",
    bytes: sql`blob`,
    greatest: sql`max`,
    forUpdate: nothing,
    skipLocked: nothing,
    primary: sql`1`,
    now: () => sql`cast(${readClock(clock)} as integer)`,
    async prepare(connection) {
      // Waiting in the driver stops the event loop, so it never waits: the retry is ours.
      await sql`pragma busy_timeout = 0`.execute(connection);
      await sql`pragma journal_mode = wal`.execute(connection);
      await sql`pragma synchronous = full`.execute(connection);
      const { rows } = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(connection);
      const mode = rows[0]?.journal_mode;
      if (mode !== "wal" && mode !== "memory") {
        throw new ConfigError([`SQLite cannot keep a write-ahead log here (its journal mode stays ${mode}).`]);
      }
      const [flag] = (await sql<{ query_only: number }>`pragma query_only`.execute(connection)).rows;
      if (Number(flag?.query_only) !== 0) throw new ConfigError(["the SQLite database is opened for reading only."]);
    },
    lock: async () => {},
    async hasTable(connection, name) {
      const found = sql`select 1 from sqlite_master where type = 'table' and name = ${name}`;
      return (await found.execute(connection)).rows.length > 0;
    },
    isMissingTable: (error) => /no such table/i.test(faultOf(error).message),
    retryAfter(error, attempt, elapsed) {
      const { code, message } = faultOf(error);
      const busy = /^SQLITE_(BUSY|LOCKED)/.test(code) || /database (table )?is locked/i.test(message);
      if (!busy || elapsed >= BUSY_FOR) return undefined;
      return Math.min(50, 2 ** (attempt + 1)) * (0.5 + Math.random() / 2);
    },
  };
  return { db, engine };
}
