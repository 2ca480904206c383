import { createHash } from "node:crypto";
import { Kysely, PostgresDialect, sql } from "kysely";
import { ConfigError } from "../../errors.ts";
import { type Database, type Engine, faultOf, readClock } from "./engine.ts";
import { guardedPool, type PostgresPool } from "./postgres-pool.ts";

const RETRIES = 5;
// Serialization failures and deadlocks; connections that were lost, ended by an operator, or refused while it starts.
const PASSING = /^(40001|40P01|08\w{3}|57P0[123]|ECONNRESET|ECONNREFUSED|EPIPE)$/;
const LOST =
  /connection terminated|connection error|not queryable|server closed the connection|socket.*(closed|ended)/i;

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
  const engine: Engine = {
    begin: "begin isolation level read committed read write",
    bytes: sql`bytea`,
    greatest: sql`greatest`,
    forUpdate: sql`for update`,
    skipLocked: sql`for update skip locked`,
    primary: sql`(case when pg_is_in_recovery() then 0 else 1 end)`,
    // Not now(), which is the time at which the transaction began: before it waited for a lock.
    now: () =>
      clock ? sql`${readClock(clock)}::bigint` : sql`floor(extract(epoch from clock_timestamp()) * 1000)::bigint`,
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
    async hasTable(connection, name) {
      const { rows } = await sql<{ found: unknown }>`select to_regclass(${name}) is not null as found`.execute(
        connection,
      );
      return rows[0]?.found === true;
    },
    isMissingTable: (error) => faultOf(error).code === "42P01",
    retryAfter(error, attempt) {
      const { code, message } = faultOf(error);
      if (attempt >= RETRIES || !(PASSING.test(code) || LOST.test(message))) return undefined;
      return 10 * 2 ** attempt * (0.5 + Math.random() / 2);
    },
  };
  return { db, engine };
}
