import { Kysely, SqliteDialect, sql } from "kysely";
import { ConfigError } from "../../errors.ts";
import { type Database, type Engine, faultOf, readBy, readClock } from "./engine.ts";
import { lookEvery } from "./look.ts";
import { connectionOf, groupedWrites, type SqliteDatabase } from "./sqlite-connection.ts";
import { openFile } from "./sqlite-file.ts";
import type { NodeSqliteDatabase } from "./sqlite-node.ts";
import { Late } from "./statement.ts";

/** Milliseconds. How long a writer is waited for; in between other requests are served. */
const BUSY_FOR = 1_000;
/** Milliseconds between looks at what other processes wrote. */
const LOOK_EVERY = 25;

/** @param clock Milliseconds; SQLite has no clock but the host's. */
export function sqliteEngine(
  database: SqliteDatabase | NodeSqliteDatabase,
  clock: () => number,
): { db: Database; engine: Engine } {
  if (typeof database?.prepare !== "function" || typeof database.exec !== "function") {
    throw new ConfigError(["database must be an open database of better-sqlite3, libsql or node:sqlite."]);
  }
  const direct = connectionOf(database);
  type Opened = ConstructorParameters<typeof SqliteDialect>[0]["database"];
  const opened = { prepare: direct.prepare, close: () => {} } as unknown as Opened;
  const db: Database = new Kysely({ dialect: new SqliteDialect({ database: opened }) });
  const file = openFile();
  const nothing = sql``;
  const time = new Late(() => readClock(clock));
  const engine: Engine = {
    // A deferred transaction that reads and then writes fails with BUSY_SNAPSHOT where another wrote in between.
    begin: "begin immediate",
    key: sql`blob`,
    bytes: sql`blob`,
    text: sql`text`,
    tableEnd: nothing,
    greatest: sql`max`,
    least: sql`min`,
    onConflict: sql`on conflict (id) do update set`,
    proposed: (column) => sql`excluded.${sql.id(column)}`,
    forUpdate: nothing,
    skipLocked: nothing,
    primary: sql`1`,
    wake: nothing,
    now: () => sql`cast(${time} as integer)`,
    read: (statement, values) => readBy(db, statement, values),
    readNow(statement, values) {
      if (direct.isInTransaction) throw new Error("the connection is in a transaction");
      file.check();
      return direct.run(statement, values);
    },
    write: groupedWrites(direct, (work) => db.connection().execute(async () => work())),
    watch: (changed, seq) => lookEvery(LOOK_EVERY, () => engine.readNow?.(seq, {})?.seq, changed),
    check: file.check,
    async prepare(connection) {
      // Waiting in the driver stops the event loop, so it never waits: the retry is ours.
      await sql`pragma busy_timeout = 0`.execute(connection);
      await sql`pragma journal_mode = wal`.execute(connection);
      await sql`pragma synchronous = full`.execute(connection);
      const { rows } = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(connection);
      const mode = rows[0]?.journal_mode;
      if (mode !== "wal" && mode !== "memory") {
        throw new ConfigError([`SQLite cannot keep a write-ahead log here (its journal mode stays ${mode}).`]);
      }
      const [flag] = (await sql<{ query_only: number }>`pragma query_only`.execute(connection)).rows;
      if (Number(flag?.query_only) !== 0) throw new ConfigError(["the SQLite database is opened for reading only."]);
      await file.remember(connection);
      file.check();
    },
    lock: async () => {},
    async has(connection, name) {
      const found = sql`select 1 from sqlite_master where type in ('table', 'index') and name = ${name}`;
      return (await found.execute(connection)).rows.length > 0;
    },
    async hasColumn(connection, table, column) {
      const found = sql`select 1 from pragma_table_info(${table}) where name = ${column}`;
      return (await found.execute(connection)).rows.length > 0;
    },
    isMissingTable: (error) => /no such table/i.test(faultOf(error).message),
    retryAfter(error, attempt, elapsed) {
      const { code, message } = faultOf(error);
      const busy = /^SQLITE_(BUSY|LOCKED)/.test(code) || /database (table )?is locked/i.test(message);
      if (!busy || elapsed >= BUSY_FOR) return undefined;
      return Math.min(50, 2 ** (attempt + 1)) * (0.5 + Math.random() / 2);
    },
  };
  return { db, engine };
}
