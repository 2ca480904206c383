import { Kysely, MysqlDialect, sql } from "kysely";
import { ConfigError } from "../../errors.ts";
import { backOff, type Database, type Engine, type Row, readBy, readClock } from "./engine.ts";
import { lookEvery } from "./look.ts";
import { type Fault, guardedPool, type MysqlPool } from "./mysql-pool.ts";
import { Late } from "./statement.ts";

/** Milliseconds between looks at what other processes wrote. */
const LOOK_EVERY = 200;
/** Seconds for which a process waits while another one makes the tables. */
const LOCKED_FOR = 10;

/**
 * Deadlocks, waits for a lock that took too long, rows that changed since a snapshot; a connection that was handed out in
 * a transaction; servers that go down, and connections that they end.
 */
const PASSING: ReadonlySet<unknown> = new Set([1213, 1205, 1020, 1568, 1053, 1927, 4031]);
const LOST = /^(PROTOCOL_CONNECTION_LOST|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT) |in closed state/;

const MISSING_TABLE = 1146;

/** Milliseconds after which nothing is tried again: one wait for a lock may take a minute, and nobody waits as long. */
const PATIENCE = 5_000;

/** Of what the server is set to. Some are there in MariaDB only, others in MySQL, or with a plugin. */
const VARIABLES = [
  ...["version", "read_only", "innodb_read_only", "wsrep_on", "group_replication_single_primary_mode"],
  ...["innodb_flush_log_at_trx_commit", "log_bin", "sync_binlog", "binlog_format"],
  ...["autocommit", "character_set_results"],
];

/** What keeps a server from being relied on. */
function faultsOf(set: ReadonlyMap<string, string>, database: unknown): string[] {
  const faults: string[] = [];
  const is = (name: string, ...values: readonly string[]): boolean => values.includes(set.get(name) ?? "");
  const version = set.get("version") ?? "";
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  if (/mariadb/i.test(version) ? major * 100 + minor < 1006 : major < 8) {
    faults.push(`the server is ${version}: MySQL 8.0 or MariaDB 10.6 is needed.`);
  }
  if (database === null) faults.push("the pool names no database: set its option database.");
  if (!is("read_only", "OFF") || !is("innodb_read_only", "OFF"))
    faults.push("the server is read-only, a replica: the store needs the primary.");
  if (is("wsrep_on", "ON")) {
    faults.push(
      "the server is part of a Galera cluster, where two servers can exchange one token: use a single primary.",
    );
  }
  if (is("group_replication_single_primary_mode", "OFF")) {
    faults.push("the group of the server has several primaries: set group_replication_single_primary_mode to ON.");
  }
  const lost = "a crash of the server would revive revoked tokens";
  // 3 is that of MariaDB which flushes once more than 1.
  if (!is("innodb_flush_log_at_trx_commit", "1", "3")) {
    faults.push(`innodb_flush_log_at_trx_commit is not 1: ${lost}; set it to 1.`);
  }
  if (is("log_bin", "ON") && !is("sync_binlog", "1")) {
    faults.push(`the server writes a binary log and sync_binlog is not 1: ${lost}; set it to 1.`);
  }
  if (is("log_bin", "ON") && is("binlog_format", "STATEMENT")) {
    faults.push("binlog_format is STATEMENT, under which no change can be made as read committed: set it to ROW.");
  }
  if (is("autocommit", "OFF")) faults.push("autocommit is off: leave it on for the connections of this pool.");
  const charset = set.get("character_set_results");
  if (charset !== "utf8mb4") {
    faults.push(`the pool's connections speak ${charset} and cannot read every name: leave out its option charset.`);
  }
  return faults;
}

/** @param clock Milliseconds, in place of the server's clock: for tests. */
export function mysqlEngine(
  pool: MysqlPool,
  clock: (() => number) | undefined,
  prefix: string,
): { db: Database; engine: Engine } {
  const inner = pool && "pool" in pool ? pool.pool : pool;
  if (typeof inner?.getConnection !== "function") throw new ConfigError(["pool must be a pool of mysql2."]);
  type Pool = Exclude<ConstructorParameters<typeof MysqlDialect>[0]["pool"], () => unknown>;
  const db: Database = new Kysely({ dialect: new MysqlDialect({ pool: guardedPool(inner) as unknown as Pool }) });
  const time = clock && new Late(() => readClock(clock));
  const lockName = sql`left(sha2(concat('jwt-extended/lock/', database(), '/', ${sql.lit(prefix)}), 256), 60)`;
  const engine: Engine = {
    // The level is set where a connection is handed out.
    begin: "start transaction",
    key: sql`binary(16)`,
    bytes: sql`varbinary(32)`,
    text: sql`longtext`,
    tableEnd: sql`engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`,
    greatest: sql`greatest`,
    least: sql`least`,
    onConflict: sql`on duplicate key update`,
    proposed: (column) => sql`values(${sql.id(column)})`,
    forUpdate: sql`for update`,
    skipLocked: sql`for update skip locked`,
    // Of Aurora, only the second tells.
    primary: sql`(cast(@@read_only as char) in ('0', 'OFF') and cast(@@innodb_read_only as char) in ('0', 'OFF'))`,
    wake: sql``,
    read: (statement, values) => readBy(db, statement, values),
    watch: (changed, seq) => lookEvery(LOOK_EVERY, async () => (await readBy(db, seq, {}))?.seq, changed),
    now: () =>
      time ? sql`${time}` : sql`(timestampdiff(microsecond, '1970-01-01 00:00:00', utc_timestamp(3)) div 1000)`,
    async prepare(connection) {
      const names = sql.join(VARIABLES.map((name) => sql.lit(name)));
      const shown = await sql<Row>`show variables where variable_name in (${names})`.execute(connection);
      const set = new Map(shown.rows.map(({ Variable_name, Value }) => [String(Variable_name), String(Value)]));
      const { rows } = await sql<Row>`select database() as name`.execute(connection);
      const faults = faultsOf(set, rows[0]?.name);
      if (faults.length > 0) throw new ConfigError(faults);
    },
    // What makes tables ends the transaction, and with it every lock but this one.
    async lock(connection) {
      const { rows } = await sql<Row>`select get_lock(${lockName}, ${LOCKED_FOR}) as locked`.execute(connection);
      if (Number(rows[0]?.locked) !== 1) throw new Error("another process holds the tables of the store for long");
    },
    async unlock(connection) {
      await sql`select release_lock(${lockName})`.execute(connection);
    },
    async has(connection, name) {
      const called = sql.lit(name);
      const found = sql`
        select 1 from information_schema.tables where table_schema = database() and table_name = ${called}
        union all
        select 1 from information_schema.statistics where table_schema = database() and index_name = ${called}`;
      return (await found.execute(connection)).rows.length > 0;
    },
    async hasColumn(connection, table, column) {
      const found = sql`select 1 from information_schema.columns
        where table_schema = database() and table_name = ${sql.lit(table)} and column_name = ${sql.lit(column)}`;
      return (await found.execute(connection)).rows.length > 0;
    },
    isMissingTable: (error) => (error as Fault | undefined)?.errno === MISSING_TABLE,
    retryAfter(error, attempt, elapsed) {
      const { errno, code, message } = (error ?? {}) as Fault;
      const mayPass = PASSING.has(errno) || LOST.test(`${code} ${message}`);
      return mayPass && elapsed < PATIENCE ? backOff(attempt) : undefined;
    },
  };
  return { db, engine };
}
