import type { Database, Engine } from "../../stores/sql/engine.ts";
import { postgresEngine } from "../../stores/sql/postgres-engine.ts";
import type { PostgresPool } from "../../stores/sql/postgres-pool.ts";
import type { SqliteDatabase } from "../../stores/sql/sqlite-connection.ts";
import { sqliteEngine } from "../../stores/sql/sqlite-engine.ts";
import type { NodeSqliteDatabase } from "../../stores/sql/sqlite-node.ts";
import type { AuditStore } from "../audit.ts";
import type { MakeLimiter } from "../limits.ts";
import type { UserStore } from "../users.ts";
import { sqlAudit } from "./audit.ts";
import { type AccountDialect, PLAIN_TEXT } from "./dialects.ts";
import { postgresLimiter, type SqlLimiter, sqliteLimiter, sqlLimits } from "./limits.ts";
import { checkTables, migrateTables } from "./migrations.ts";
import { accountRunner } from "./runner.ts";
import { accountNames } from "./tables.ts";
import { sqlUsers } from "./users.ts";

/** Settings of both. */
export interface AccountTablesOptions {
  /** Put in front of the names of the tables. @default "jx_" */
  readonly tablePrefix?: string | undefined;
  /** Makes and updates the tables at first use. With `false` call `migrate()` when deploying. @default true */
  readonly migrate?: boolean | undefined;
}

/** Users, audit trail and limits in one database. */
export interface AccountTables {
  readonly users: Required<UserStore>;
  readonly audit: AuditStore;
  readonly limits: MakeLimiter;
  /** Makes or updates the tables and looks at the server. Any number of processes may do so at once. */
  migrate(): Promise<void>;
  /** Removes entries of the audit trail that are older than this moment, in Unix milliseconds. */
  purgeAudit(before: number): Promise<void>;
}

/** Settings of `sqliteAccounts`. */
export interface SqliteAccountsOptions extends AccountTablesOptions {
  /**
   * An open database of better-sqlite3 or libsql, or a `DatabaseSync` of `node:sqlite`: a connection of its own, neither
   * that of the application nor that of `sqliteStore`. The file may be the same.
   */
  readonly database: SqliteDatabase | NodeSqliteDatabase;
}

/** Settings of `postgresAccounts`. */
export interface PostgresAccountsOptions extends AccountTablesOptions {
  /** A pool of `pg`; that of `postgresStore` will do. */
  readonly pool: PostgresPool;
}

/**
 * Keeps users, audit trail and limits in a file of SQLite.
 *
 * @example
 * const accounts = createAccounts({ tables: sqliteAccounts({ database: new Database("accounts.db") }) });
 *
 * @throws ConfigError for a prefix that is no plain name, or what is no database
 */
export function sqliteAccounts({ database, ...options }: SqliteAccountsOptions): AccountTables {
  return open(
    () => sqliteEngine(database, () => Date.now()),
    () => sqliteLimiter(database),
    PLAIN_TEXT,
    options,
  );
}

/**
 * Keeps users, audit trail and limits in PostgreSQL, for any number of processes.
 * @throws ConfigError for a prefix that is no plain name, or what is no pool
 */
export function postgresAccounts({ pool, ...options }: PostgresAccountsOptions): AccountTables {
  return open(
    (prefix) => postgresEngine(pool, undefined, prefix),
    () => postgresLimiter(pool),
    PLAIN_TEXT,
    options,
  );
}

function open(
  connect: (prefix: string) => { db: Database; engine: Engine },
  limiter: () => SqlLimiter,
  dialect: AccountDialect,
  { tablePrefix = "jx_", migrate = true }: AccountTablesOptions,
): AccountTables {
  const names = accountNames(tablePrefix);
  const { db, engine } = connect(tablePrefix);
  const update = (): Promise<void> => migrateTables(db, engine, names, dialect);
  const runner = accountRunner(db, engine, () => (migrate ? update() : checkTables(db, engine, names)));
  const { purge, ...audit } = sqlAudit(runner, names);
  return {
    users: sqlUsers(runner, engine, names),
    audit,
    limits: sqlLimits(runner, names, limiter()),
    migrate: () => accountRunner(db, engine, update).start(),
    purgeAudit: (before) => purge(Math.floor(before).toString(16).padStart(12, "0")),
  };
}
