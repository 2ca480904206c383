import { mysqlEngine } from "./sql/mysql-engine.ts";
import type { MysqlPool } from "./sql/mysql-pool.ts";
import { type SqlStore, type SqlStoreOptions, sqlStore } from "./sql/store.ts";

export type { MysqlCallbackPool, MysqlPool } from "./sql/mysql-pool.ts";
export type { SqlStore, SqlStoreOptions } from "./sql/store.ts";

/** Settings of `mysqlStore`. */
export interface MysqlStoreOptions extends SqlStoreOptions {
  /** A pool of `mysql2` or `mysql2/promise` whose option `database` is set. */
  readonly pool: MysqlPool;
  /** The present time in milliseconds, in place of the server's clock; for tests. */
  readonly clock?: (() => number) | undefined;
}

/**
 * Remembers sessions and revocations in MySQL or MariaDB. Any number of processes share it; it needs the primary server,
 * of which there may be one only.
 *
 * @throws ConfigError for a prefix that is no plain name, or what is no pool
 * @example
 * import { createPool } from "mysql2/promise";
 * const pool = createPool({ uri: process.env.DATABASE_URL, connectTimeout: 1_000 });
 * const jwt = new JWTManager({ secretKey, store: mysqlStore({ pool }) });
 */
export function mysqlStore({ pool, clock, ...options }: MysqlStoreOptions): SqlStore {
  return sqlStore((prefix) => mysqlEngine(pool, clock, prefix), options);
}
