import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AccountTables, mysqlAccounts, postgresAccounts, sqliteAccounts } from "jwt-extended/accounts";
import Database from "libsql";
import { hasMysql, openMysql } from "../support/mysql.ts";
import { POSTGRES, startPostgres } from "../support/postgres.ts";

/** One database, and what is needed to look into it from outside. */
export interface TablesKit {
  /** Tables of our own for one test; each call with the same prefix is what another process has. */
  open(tablePrefix: string, migrate?: boolean): AccountTables;
  run(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

/** The databases, and whether each can be had on this machine. */
export const DATABASES: readonly (readonly [name: string, isHere: boolean, open: () => Promise<TablesKit>])[] = [
  [
    "SQLite",
    true,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "accounts-"));
      const all: Database.Database[] = [];
      const connect = (): Database.Database => {
        const database = new Database(join(folder, "accounts.db"));
        all.push(database);
        return database;
      };
      const own = connect();
      return {
        open: (tablePrefix, migrate = true) => sqliteAccounts({ database: connect(), tablePrefix, migrate }),
        async run(statement) {
          const prepared = own.prepare(statement);
          if (prepared.reader) return prepared.all() as Record<string, unknown>[];
          prepared.run();
          return [];
        },
        async close() {
          for (const database of all) database.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
  ],
  [
    "PostgreSQL",
    POSTGRES !== undefined,
    async () => {
      const server = await startPostgres();
      const own = server.operator();
      return {
        open: (tablePrefix, migrate = true) => postgresAccounts({ pool: server.pool({}, 4), tablePrefix, migrate }),
        run: async (statement) => (await own.query(statement)).rows,
        close: () => server.close(),
      };
    },
  ],
  [
    "MariaDB",
    hasMysql(),
    async () => {
      const server = await openMysql();
      const own = server.pool();
      return {
        open: (tablePrefix, migrate = true) =>
          mysqlAccounts({ pool: server.pool({}, { connectionLimit: 4 }), tablePrefix, migrate }),
        run: async (statement) => (await own.query(statement))[0] as Record<string, unknown>[],
        close: () => server.close(),
      };
    },
  ],
];
