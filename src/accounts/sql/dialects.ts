import { type RawBuilder, sql } from "kysely";
import { faultOf } from "../../stores/sql/engine.ts";

/** What differs between the databases beside what the engine of the sessions knows already, as data. */
export interface AccountDialect {
  /** A column of short text that is compared byte by byte and may be part of an index. */
  readonly word: RawBuilder<unknown>;
}

/** SQLite and PostgreSQL compare text byte by byte, as long as nobody asks for a collation. */
export const PLAIN_TEXT: AccountDialect = Object.freeze({ word: sql`text` });

/** Bytes, as every collation that all servers know takes words that differ in trailing blanks for one. */
export const MYSQL_TEXT: AccountDialect = Object.freeze({ word: sql`varbinary(255)` });

/** What PostgreSQL, MariaDB and SQLite (libsql, better-sqlite3, node:sqlite) say where a unique index refuses a row. */
export function isDuplicate(error: unknown): boolean {
  const { code, message } = faultOf(error);
  return code === "23505" || code === "ER_DUP_ENTRY" || /UNIQUE constraint failed/i.test(message);
}
