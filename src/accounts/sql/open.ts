import { type Database, type Engine, first } from "../../stores/sql/engine.ts";
import { mysqlEngine } from "../../stores/sql/mysql-engine.ts";
import type { MysqlPool } from "../../stores/sql/mysql-pool.ts";
import { postgresEngine } from "../../stores/sql/postgres-engine.ts";
import type { PostgresPool } from "../../stores/sql/postgres-pool.ts";
import type { SqliteDatabase } from "../../stores/sql/sqlite-connection.ts";
import { sqliteEngine } from "../../stores/sql/sqlite-engine.ts";
import type { NodeSqliteDatabase } from "../../stores/sql/sqlite-node.ts";
import type { AuditStore } from "../audit.ts";
import type { MakeLimiter } from "../limits.ts";
import type { UserStore } from "../users.ts";
import { type Activity, sqlAudit } from "./audit.ts";
import { type AccountDialect, MYSQL_TEXT, PLAIN_TEXT } from "./dialects.ts";
import { mysqlLimiter, postgresLimiter, type SqlLimiter, sqliteLimiter, sqlLimits } from "./limits.ts";
import { checkTables, migrateTables } from "./migrations.ts";
import { accountRunner } from "./runner.ts";
import { accountNames } from "./tables.ts";
import { holders, sqlUsers } from "./users.ts";

/** Settings of all of them. */
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
  /** Whether somebody who is not disabled has this role. */
  isHeld(role: string): Promise<boolean>;
  /**
   * Logins and refusals since a moment, in spans of so many milliseconds: the oldest first, those without any left out.
   * `since` in Unix milliseconds.
   */
  activity(since: number, span: number): Promise<readonly Activity[]>;
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

/** Settings of `mysqlAccounts`. */
export interface MysqlAccountsOptions extends AccountTablesOptions {
  /** A pool of `mysql2` or `mysql2/promise` whose option `database` is set; that of `mysqlStore` will do. */
  readonly pool: MysqlPool;
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
    (db) => sqliteLimiter(database, db),
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

/**
 * Keeps users, audit trail and limits in MySQL or MariaDB, for any number of processes.
 * @throws ConfigError for a prefix that is no plain name, or what is no pool
 */
export function mysqlAccounts({ pool, ...options }: MysqlAccountsOptions): AccountTables {
  return open(
    (prefix) => mysqlEngine(pool, undefined, prefix),
    () => mysqlLimiter(pool),
    MYSQL_TEXT,
    options,
  );
}

function open(
  connect: (prefix: string) => { db: Database; engine: Engine },
  limiter: (db: Database) => SqlLimiter,
  dialect: AccountDialect,
  { tablePrefix = "jx_", migrate = true }: AccountTablesOptions,
): AccountTables {
  const names = accountNames(tablePrefix);
  const { db, engine } = connect(tablePrefix);
  const update = (): Promise<void> => migrateTables(db, engine, names, dialect);
  const runner = accountRunner(db, engine, () => (migrate ? update() : checkTables(db, engine, names)));
  const { purge, activity, ...audit } = sqlAudit(runner, names);
  return {
    users: sqlUsers(runner, engine, names),
    audit,
    limits: sqlLimits(runner, names, limiter(db)),
    isHeld: (role) => runner.ask(async (db) => (await first(holders(names.users, role), db)) !== undefined),
    activity: (since, span) => activity(idFrom(since), span),
    migrate: () => accountRunner(db, engine, update).start(),
    purgeAudit: (before) => purge(idFrom(before)),
  };
}

/** Where the ids of entries of a moment begin. */
const idFrom = (at: number): string => Math.floor(at).toString(16).padStart(12, "0");
