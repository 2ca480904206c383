import type { SqliteDatabase } from "./sql/sqlite-connection.ts";
import { sqliteEngine } from "./sql/sqlite-engine.ts";
import type { NodeSqliteDatabase } from "./sql/sqlite-node.ts";
import { type SqlStore, type SqlStoreOptions, sqlStore } from "./sql/store.ts";

export type { SqliteDatabase, SqliteStatement } from "./sql/sqlite-connection.ts";
export type { NodeSqliteDatabase, NodeSqliteStatement } from "./sql/sqlite-node.ts";
export type { SqlStore, SqlStoreOptions } from "./sql/store.ts";

/** Settings of `sqliteStore`. */
export interface SqliteStoreOptions extends SqlStoreOptions {
  /**
   * An open database of better-sqlite3 or libsql, or a `DatabaseSync` of `node:sqlite`: a connection of the store's own,
   * not that of the application, whose transactions it would get into. The store sets it to a write-ahead log that is flushed at each commit.
   */
  readonly database: SqliteDatabase | NodeSqliteDatabase;
  /** The present time in milliseconds. @default Date.now */
  readonly clock?: (() => number) | undefined;
}

/**
 * Remembers sessions and revocations in a file of SQLite. Processes on one machine share it.
 *
 * @throws ConfigError for a prefix that is no plain name, or what is no database
 * @example
 * import Database from "libsql";
 * const store = sqliteStore({ database: new Database("sessions.db") });
 * const jwt = new JWTManager({ secretKey, store });
 */
export function sqliteStore({ database, clock = Date.now, ...options }: SqliteStoreOptions): SqlStore {
  // Read at each call, so that a clock which a test puts in place of Date.now counts.
  const now = clock === Date.now ? () => Date.now() : clock;
  return sqlStore(() => sqliteEngine(database, now), options);
}
