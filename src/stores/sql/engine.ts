import type { Kysely, RawBuilder } from "kysely";

/** A connection, or the pool that hands them out. The tables are named by statements, not by types. */
export type Database = Kysely<unknown>;

/** What differs between the databases, as data where it can be. */
export interface Engine {
  /** Begins a transaction of our own that the defaults of the server cannot change. */
  readonly begin: string;
  /** The column type of bytes. */
  readonly bytes: RawBuilder<unknown>;
  /** The function that answers the greater of two numbers. */
  readonly greatest: RawBuilder<unknown>;
  /** Appended to a `select` of rows that the transaction is going to change. */
  readonly forUpdate: RawBuilder<unknown>;
  /** Appended to a `select` of rows to be removed, where others may be removing them too. */
  readonly skipLocked: RawBuilder<unknown>;
  /** 1 where the server takes writes, 0 on a read replica. */
  readonly primary: RawBuilder<unknown>;
  /** The store's clock, in milliseconds, read when the statement runs. */
  now(): RawBuilder<unknown>;
  /** Looks at the server, sets what is ours to set. @throws ConfigError where nothing can be promised on it */
  prepare(db: Database): Promise<void>;
  /** Lets only one process at a time go on in its transaction. */
  lock(db: Database): Promise<void>;
  /** Whether there is a table of this name. */
  hasTable(db: Database, name: string): Promise<boolean>;
  /** Whether a statement failed because a table is not there. */
  isMissingTable(error: unknown): boolean;
  /** How many milliseconds to wait before trying again; `undefined` where that would not help, or was tried enough. */
  retryAfter(error: unknown, attempt: number, elapsed: number): number | undefined;
}

/** The first row of an answer. */
export async function first(
  statement: RawBuilder<unknown>,
  db: Database,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  return (await statement.execute(db)).rows[0] as Readonly<Record<string, unknown>> | undefined;
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
