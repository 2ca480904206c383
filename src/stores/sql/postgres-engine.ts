import { createHash } from "node:crypto";
import { CompiledQuery, Kysely, PostgresDialect, sql } from "kysely";
import { ConfigError } from "../../errors.ts";
import { backOff, type Database, type Engine, faultOf, type Row, readClock } from "./engine.ts";
import { transaction } from "./migrations.ts";
import { guardedPool, type PostgresPool, statementsOf } from "./postgres-pool.ts";
import { listen } from "./postgres-watch.ts";
import { Late, parametersOf } from "./statement.ts";

// Serialization failures and deadlocks; connections that were lost, ended by an operator, or refused while it starts.
const PASSING = /^(40001|40P01|08\w{3}|57P0[123]|25P03|ECONNRESET|ECONNREFUSED|EPIPE)$/;
const LOST =
  /connection terminated|connection error|not queryable|server closed the connection|socket.*(closed|ended)/i;

/** Milliseconds without a statement after which a transaction is given up. */
const STOPPED = 2_000;

/** What a server says to a write in a transaction that may only read. */
const READ_ONLY = "25006";

interface Server {
  readonly replica: boolean;
  readonly encoding: string;
  readonly durable: string;
}

/** @param clock Milliseconds, in place of the server's clock: for tests. */
export function postgresEngine(
  pool: PostgresPool,
  clock: (() => number) | undefined,
  prefix: string,
): { db: Database; engine: Engine } {
  if (typeof pool?.connect !== "function") throw new ConfigError(["pool must be a Pool of pg."]);
  type Pool = Exclude<ConstructorParameters<typeof PostgresDialect>[0]["pool"], () => unknown>;
  const db: Database = new Kysely({ dialect: new PostgresDialect({ pool: guardedPool(pool) as unknown as Pool }) });
  const lockId = createHash("sha256").update(`jwt-extended/lock\0${prefix}`).digest().readBigInt64BE().toString();
  const channel = `${prefix}feed`;
  const run = statementsOf(pool);
  let isReadOnly = false;
  const time = clock && new Late(() => readClock(clock));
  const engine: Engine = {
    // The server ends it where this process stops in the middle: its locks would hold up everybody's logout.
    begin: `begin isolation level read committed read write; set local idle_in_transaction_session_timeout = ${STOPPED}`,
    key: sql`bytea`,
    bytes: sql`bytea`,
    text: sql`text`,
    tableEnd: sql``,
    greatest: sql`greatest`,
    least: sql`least`,
    onConflict: sql`on conflict (id) do update set`,
    proposed: (column) => sql`excluded.${sql.id(column)}`,
    forUpdate: sql`for update`,
    skipLocked: sql`for update skip locked`,
    primary: sql`(case when pg_is_in_recovery() then 0 else 1 end)`,
    wake: sql`returning pg_notify(${sql.lit(channel)}, '')`,
    read: run,
    async write(statement, values) {
      try {
        if (!isReadOnly) return await run(statement, values);
      } catch (error) {
        if (faultOf(error).code !== READ_ONLY) throw error;
      }
      const { rows } = await transaction(db, engine, (own) =>
        own.executeQuery(CompiledQuery.raw(statement.text, parametersOf(statement.parameters, values))),
      );
      // It was the default of the server's sessions, and not that it is a replica.
      isReadOnly = true;
      return rows[0] as Row | undefined;
    },
    watch: (changed) => listen(pool, channel, changed),
    // Not now(), which is the time at which the transaction began: before it waited for a lock.
    now: () => (time ? sql`${time}::bigint` : sql`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`),
    async prepare(connection) {
      const { rows } = await sql<Server>`select pg_is_in_recovery() as replica,
        current_setting('server_encoding') as encoding, current_setting('synchronous_commit') as durable`.execute(
        connection,
      );
      const { replica, encoding, durable } = rows[0] as Server;
      const faults = [];
      if (replica) faults.push("the PostgreSQL server is a read replica: the store needs the primary.");
      if (encoding !== "UTF8" && encoding !== "SQL_ASCII") {
        faults.push(`the database is encoded in ${encoding} and cannot hold every name: create it with UTF8.`);
      }
      if (durable === "off") {
        const cure = "set it to on for the role of this pool.";
        faults.push(`synchronous_commit is off: a crash of the server would revive revoked tokens; ${cure}`);
      }
      if (faults.length > 0) throw new ConfigError(faults);
    },
    async lock(connection) {
      await sql`select pg_advisory_xact_lock(${lockId}::bigint)`.execute(connection);
    },
    async has(connection, name) {
      const { rows } = await sql<{ found: unknown }>`select to_regclass(${name}) is not null as found`.execute(
        connection,
      );
      return rows[0]?.found === true;
    },
    async hasColumn(connection, table, column) {
      const found = sql`select 1 from pg_attribute
        where attrelid = to_regclass(${table}) and attname = ${column} and not attisdropped`;
      return (await found.execute(connection)).rows.length > 0;
    },
    isMissingTable: (error) => faultOf(error).code === "42P01",
    retryAfter(error, attempt) {
      const { code, message } = faultOf(error);
      return PASSING.test(code) || LOST.test(message) ? backOff(attempt) : undefined;
    },
  };
  return { db, engine };
}
