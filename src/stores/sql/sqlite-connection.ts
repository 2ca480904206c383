import type { Row } from "./engine.ts";
import { type NodeSqliteDatabase, readable } from "./sqlite-node.ts";
import { parametersOf, type Statement, type Values } from "./statement.ts";

/** What is needed of an open database: better-sqlite3 and libsql have it. */
export interface SqliteDatabase {
  prepare(statement: string): SqliteStatement;
  exec(statement: string): unknown;
  close(): unknown;
  readonly open?: boolean;
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

/** The one connection of a store. */
export interface SqliteConnection {
  /** A statement, prepared anew. */
  prepare(text: string): Pick<SqliteStatement, "reader" | "all" | "run">;
  /** Runs what answers nothing. */
  exec(text: string): void;
  /** Runs a statement that stays prepared, and answers its first row. */
  run(statement: Statement, values: Values): Row | undefined;
  /** Whether a transaction is going on, of which nobody outside may see anything. */
  readonly isInTransaction: boolean;
}

/**
 * Statements that answer nothing run at once: a prepared `begin` that found the database locked stays half done in
 * libsql, and no later transaction on the connection can be committed.
 */
const IMMEDIATE = /^(begin|commit|rollback|pragma \w+ = )/;

export function connectionOf(database: SqliteDatabase | NodeSqliteDatabase): SqliteConnection {
  let isInTransaction = false;
  const kept = new WeakMap<Statement, ReturnType<typeof readable>>();
  const connection: SqliteConnection = {
    get isInTransaction() {
      return isInTransaction;
    },
    prepare(text) {
      if (!IMMEDIATE.test(text)) {
        const prepared = readable(database.prepare(text), text);
        return {
          reader: prepared.reader,
          all: (parameters = []) => prepared.all(parametersOf(parameters)),
          run: (parameters = []) => prepared.run(parametersOf(parameters)),
        };
      }
      const run = () => {
        connection.exec(text);
        return { changes: 0, lastInsertRowid: 0 };
      };
      return { reader: false, all: () => [], run };
    },
    exec(text) {
      // What cannot be rolled back is over: SQLite has done so itself.
      if (text === "rollback") isInTransaction = false;
      database.exec(text);
      if (text.startsWith("begin")) isInTransaction = true;
      else if (text === "commit") isInTransaction = false;
    },
    run(statement, values) {
      // In libsql a prepared statement outlives its database. A driver that does not tell whether it is open prepares anew.
      const isOpen = ("open" in database && database.open) || ("isOpen" in database && database.isOpen);
      const found = isOpen ? kept.get(statement) : undefined;
      const prepared = found ?? readable(database.prepare(statement.text), statement.text);
      // One that fails is not used again: libsql leaves it half done.
      kept.delete(statement);
      const parameters = parametersOf(statement.parameters, values);
      const row = prepared.reader ? prepared.all(parameters)[0] : void prepared.run(parameters);
      if (isOpen) kept.set(statement, prepared);
      return row as Row | undefined;
    },
  };
  return connection;
}

interface Waiting {
  readonly statement: Statement;
  readonly values: Values;
  resolve(row: Row | undefined): void;
  reject(error: unknown): void;
}

/** How many writes share a commit at most: the process does nothing else meanwhile. */
const GROUP = 64;

/**
 * Writes that come together share a transaction, and with it the flush to the disk, which takes longer than they do. Each
 * is told only after the commit.
 * @param alone runs `work` when no other transaction is going on
 */
export function groupedWrites(connection: SqliteConnection, alone: (work: () => void) => Promise<void>) {
  const waiting: Waiting[] = [];
  let isWriting = false;

  function writeGroup(): void {
    const group = waiting.splice(0, GROUP);
    const tell: (() => void)[] = [];
    try {
      connection.exec("begin immediate");
      for (const { statement, values, resolve, reject } of group) {
        try {
          const row = connection.run(statement, values);
          tell.push(() => resolve(row));
        } catch (error) {
          // SQLite undoes a statement that fails, and goes on with the transaction.
          tell.push(() => reject(error));
        }
      }
      connection.exec("commit");
    } catch (error) {
      if (connection.isInTransaction) attempt(() => connection.exec("rollback"));
      for (const { reject } of group) reject(error);
      return;
    }
    for (const each of tell) each();
  }

  async function writeAll(): Promise<void> {
    isWriting = true;
    try {
      while (waiting.length > 0) await alone(writeGroup);
    } catch (error) {
      for (const { reject } of waiting.splice(0)) reject(error);
    } finally {
      isWriting = false;
    }
  }

  return (statement: Statement, values: Values): Promise<Row | undefined> =>
    new Promise((resolve, reject) => {
      waiting.push({ statement, values, resolve, reject });
      if (!isWriting) void writeAll();
    });
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {}
}
