import { CompiledQuery, type Kysely, type RawBuilder } from "kysely";
import { parametersOf, type Statement, type Values } from "./statement.ts";

/** A connection, or the pool that hands them out. The tables are named by statements, not by types. */
export type Database = Kysely<unknown>;

/** A row of an answer. */
export type Row = Readonly<Record<string, unknown>>;

/** What differs between the databases, as data where it can be. */
export interface Engine {
  /** Begins a transaction of our own that the defaults of the server cannot change. */
  readonly begin: string;
  /** The column type of the 16 bytes under which something is found. */
  readonly key: RawBuilder<unknown>;
  /** The column type of other bytes, 32 at most. */
  readonly bytes: RawBuilder<unknown>;
  /** The column type of text of any length. */
  readonly text: RawBuilder<unknown>;
  /** What follows the columns of a new table. */
  readonly tableEnd: RawBuilder<unknown>;
  /** The function that answers the greater of two numbers. */
  readonly greatest: RawBuilder<unknown>;
  /** The function that answers the smaller one. */
  readonly least: RawBuilder<unknown>;
  /** Appended to an `insert` under an `id` that may be there already: before what is set there instead. */
  readonly onConflict: RawBuilder<unknown>;
  /** What such an `insert` would have written to a column. */
  proposed(column: string): RawBuilder<unknown>;
  /** Appended to a `select` of rows that the transaction is going to change. */
  readonly forUpdate: RawBuilder<unknown>;
  /** Appended to a `select` of rows to be removed, where others may be removing them too. */
  readonly skipLocked: RawBuilder<unknown>;
  /** 1 where the server takes writes, 0 on a read replica. */
  readonly primary: RawBuilder<unknown>;
  /** The store's clock, in milliseconds, read when the statement runs. */
  now(): RawBuilder<unknown>;
  /** Appended to the `insert` that adds to the feed: wakes those who listen once it is committed. */
  readonly wake: RawBuilder<unknown>;
  /** Reads the first row by a statement of its own. */
  read(statement: Statement, values: Values): Promise<Row | undefined>;
  /** The same at once; absent where the driver answers later. @throws where the connection is in a transaction */
  readNow?(statement: Statement, values: Values): Row | undefined;
  /**
   * Changes a row by a statement of its own and answers it. Whatever it changed is durable by then. Absent where no
   * statement does both: there rows are locked first.
   */
  write?(statement: Statement, values: Values): Promise<Row | undefined>;
  /** Calls back soon after the feed grew; `seq` reads its last number. Answers the function that ends it. */
  watch(changed: () => void, seq: Statement): () => void;
  /** Looks at the server, sets what is ours to set. @throws ConfigError where nothing can be promised on it */
  prepare(db: Database): Promise<void>;
  /** Looks whether the connection still leads to the store, before each call. @throws Forgotten where it does not */
  check?(): void;
  /** Lets only one process at a time go on in its transaction. */
  lock(db: Database): Promise<void>;
  /** Lets the next one go on, where the end of the transaction does not. */
  unlock?(db: Database): Promise<void>;
  /** Whether there is a table or an index of this name. */
  has(db: Database, name: string): Promise<boolean>;
  /** Whether a table has a column. */
  hasColumn(db: Database, table: string, column: string): Promise<boolean>;
  /** Whether a statement failed because a table is not there. */
  isMissingTable(error: unknown): boolean;
  /** How many milliseconds to wait before trying again; `undefined` where that would not help, or was tried enough. */
  retryAfter(error: unknown, attempt: number, elapsed: number): number | undefined;
}

/** The first row of an answer. */
export async function first(statement: RawBuilder<unknown>, db: Database): Promise<Row | undefined> {
  return (await statement.execute(db)).rows[0] as Row | undefined;
}

/** Reads the first row at once where that can be, else in line with what is going on. */
export async function readSoon(engine: Engine, statement: Statement, values: Values): Promise<Row | undefined> {
  if (engine.readNow) {
    try {
      return engine.readNow(statement, values);
    } catch {
      // Asked again, behind the transaction on this connection; or it says what is wrong.
    }
  }
  return engine.read(statement, values);
}

/** Reads by a statement of its own, over any connection. */
export async function readBy(db: Database, { text, parameters }: Statement, values: Values): Promise<Row | undefined> {
  return (await db.executeQuery(CompiledQuery.raw(text, parametersOf(parameters, values)))).rows[0] as Row | undefined;
}

/** How many milliseconds to wait before another attempt over a network; `undefined` after five. */
export function backOff(attempt: number): number | undefined {
  return attempt < 5 ? 10 * 2 ** attempt * (0.5 + Math.random() / 2) : undefined;
}

/** What a driver's error says of itself. */
export function faultOf(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return { code: typeof code === "string" ? code : "", message: typeof message === "string" ? message : "" };
}

/** A clock's answer as a whole number, as a column takes it. */
export function readClock(clock: () => number): number {
  const now = Math.floor(clock());
  if (!Number.isSafeInteger(now)) throw new TypeError("the clock of the store must answer milliseconds");
  return now;
}
