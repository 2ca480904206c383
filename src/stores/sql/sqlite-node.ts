import type { SqliteStatement } from "./sqlite-connection.ts";

/** What is needed of a `DatabaseSync` of `node:sqlite`: its statements do not tell whether they answer rows. */
export interface NodeSqliteDatabase {
  prepare(statement: string): NodeSqliteStatement;
  exec(statement: string): unknown;
  close(): unknown;
  readonly isOpen?: boolean;
}

/** A statement that `node:sqlite` has prepared. */
export interface NodeSqliteStatement {
  // biome-ignore lint/suspicious/noExplicitAny: the rows and parameters of any statement
  all(...parameters: any[]): any[];
  // biome-ignore lint/suspicious/noExplicitAny: as above
  run(...parameters: any[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  // biome-ignore lint/suspicious/noExplicitAny: as above
  iterate?(...parameters: any[]): any;
  columns?(): readonly unknown[];
}

/** Whether a statement answers rows, where its driver does not know. */
function answersRows(statement: string, prepared: NodeSqliteStatement): boolean {
  if (prepared.columns) return prepared.columns().length > 0; // since Node 22.16
  return /^\s*(select|with|pragma|values|explain)\b/i.test(statement) || /\breturning\b/i.test(statement);
}

/** A prepared statement as Kysely wants it; one that has `reader` is so already. */
export function readable(
  prepared: SqliteStatement | NodeSqliteStatement,
  statement: string,
): Pick<SqliteStatement, "reader" | "all" | "run"> {
  if ("reader" in prepared) return prepared;
  // Kysely gives the parameters as one list, which node:sqlite would take for the names of parameters.
  return {
    reader: answersRows(statement, prepared),
    all: (parameters: readonly unknown[] = []) => prepared.all(...parameters),
    run: (parameters: readonly unknown[] = []) => prepared.run(...parameters),
  };
}
