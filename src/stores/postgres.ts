import { postgresEngine } from "./sql/postgres-engine.ts";
import type { PostgresPool } from "./sql/postgres-pool.ts";
import { type SqlStore, type SqlStoreOptions, sqlStore } from "./sql/store.ts";

export type { PostgresClient, PostgresPool } from "./sql/postgres-pool.ts";
export type { SqlStore, SqlStoreOptions } from "./sql/store.ts";

/** Settings of `postgresStore`. */
export interface PostgresStoreOptions extends SqlStoreOptions {
  /** A pool of `pg`. Give it `connectionTimeoutMillis`: without it a call waits for a connection for ever. */
  readonly pool: PostgresPool;
  /** The present time in milliseconds, in place of the server's clock; for tests. */
  readonly clock?: (() => number) | undefined;
}

/**
 * Remembers sessions and revocations in PostgreSQL. Any number of processes share it; it needs the primary server.
 *
 * @throws ConfigError for a prefix that is no plain name, or what is no pool
 * @example
 * import { Pool } from "pg";
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 1_000 });
 * const jwt = new JWTManager({ secretKey, store: postgresStore({ pool }) });
 */
export function postgresStore({ pool, clock, ...options }: PostgresStoreOptions): SqlStore {
  return sqlStore((prefix) => postgresEngine(pool, clock, prefix), options);
}
