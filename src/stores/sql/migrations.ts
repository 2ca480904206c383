import { CompiledQuery, type RawBuilder, sql } from "kysely";
import type { Database, Engine } from "./engine.ts";
import type { Tables } from "./names.ts";
import { FOREVER } from "./rows.ts";

/** A column that a table gets, where it has none of that name. */
interface NewColumn {
  readonly table: string;
  readonly column: string;
  readonly type: RawBuilder<unknown>;
}

/** An index that is made, where there is none of that name. */
interface NewIndex {
  readonly index: string;
  readonly on: RawBuilder<unknown>;
}

type Part = RawBuilder<unknown> | NewColumn | NewIndex;

/** The steps from an empty database to the present tables. Steps are added at the end, never changed, and do no harm where they run again. */
const STEPS: readonly ((tables: Tables, engine: Engine) => readonly Part[])[] = [
  ({ prefix, meta, sessions, flags, epochs }, { key, bytes, text, tableEnd }) => [
    sql`create table if not exists ${meta} (
      id integer not null primary key check (id = 1),
      generation ${bytes} not null,
      previous ${bytes},
      made_at bigint not null,
      is_new integer not null,
      seq bigint not null,
      access_limit bigint not null,
      refresh_limit bigint not null,
      secret ${bytes} not null
    ) ${tableEnd}`,
    sql`create table if not exists ${sessions} (
      id ${key} not null primary key,
      subject_id ${key} not null,
      subject ${text} not null,
      detail ${text} not null,
      born bigint not null,
      gen bigint not null,
      auth_time bigint not null,
      issued_at bigint not null,
      refresh_exp bigint,
      absolute_end bigint not null,
      rotated_at bigint,
      raced_count bigint not null,
      op ${text},
      csrf_seed ${bytes} not null,
      last_used_at bigint not null,
      ended_at bigint,
      ended_why ${text},
      over_at bigint not null
    ) ${tableEnd}`,
    { index: `${prefix}sessions_subject`, on: sql`${sessions} (subject_id, born)` },
    { index: `${prefix}sessions_born`, on: sql`${sessions} (born)` },
    { index: `${prefix}sessions_over`, on: sql`${sessions} (over_at)` },
    sql`create table if not exists ${flags} (id ${key} not null primary key, keep_until bigint not null) ${tableEnd}`,
    { index: `${prefix}flags_until`, on: sql`${flags} (keep_until)` },
    sql`create table if not exists ${epochs} (
      id ${key} not null primary key,
      subject ${text},
      epoch bigint not null,
      keep_until bigint not null
    ) ${tableEnd}`,
    { index: `${prefix}epochs_until`, on: sql`${epochs} (keep_until)` },
  ],
  ({ prefix, meta, spent, feed, pulse }, { key, bytes, text, tableEnd, onConflict, proposed }) => [
    // Who refreshed last. In columns of their own, as one statement exchanges a refresh token.
    { table: `${prefix}sessions`, column: "user_agent", type: text },
    { table: `${prefix}sessions`, column: "address", type: text },
    { table: `${prefix}meta`, column: "mark", type: bytes },
    sql`create table if not exists ${spent} (
      id ${key} not null primary key,
      keep_until bigint not null,
      op ${bytes}
    ) ${tableEnd}`,
    { index: `${prefix}spent_until`, on: sql`${spent} (keep_until)` },
    sql`insert into ${spent} (id, keep_until) select m.generation, ${FOREVER} from ${meta} m where true
      ${onConflict} keep_until = ${proposed("keep_until")}`,
    sql`create table if not exists ${feed} (
      seq bigint not null primary key,
      mark ${bytes} not null,
      kind integer not null,
      id ${key} not null,
      epoch bigint,
      keep_until bigint not null
    ) ${tableEnd}`,
    sql`create table if not exists ${pulse} (
      id integer not null primary key check (id = 1),
      beats bigint not null
    ) ${tableEnd}`,
  ],
];

/** Runs `work` in a transaction of our own, on a connection of its own. */
export function transaction<T>(db: Database, engine: Engine, work: (db: Database) => Promise<T>): Promise<T> {
  return db.connection().execute(async (connection) => {
    const run = (statement: string) => connection.executeQuery(CompiledQuery.raw(statement));
    await run(engine.begin);
    try {
      const answer = await work(connection);
      await run("commit");
      return answer;
    } catch (error) {
      // A connection that is lost cannot roll back; its server does.
      await run("rollback").catch(() => {});
      throw error;
    }
  });
}

/** The same by one process at a time. */
export function alone<T>(db: Database, engine: Engine, work: (db: Database) => Promise<T>): Promise<T> {
  return db.connection().execute(async (connection) => {
    const locked = async (own: Database): Promise<T> => {
      await engine.lock(own);
      return work(own);
    };
    try {
      return await transaction(connection, engine, locked);
    } finally {
      // A connection that is lost cannot unlock; its server does.
      await engine.unlock?.(connection).catch(() => {});
    }
  });
}

/** The version of the tables; 0 where there are none. */
async function versionOf(db: Database, engine: Engine, tables: Tables): Promise<number> {
  if (!(await engine.has(db, `${tables.prefix}migrations`))) return 0;
  const { rows } = await sql<{ version: unknown }>`select max(version) as version from ${tables.migrations}`.execute(
    db,
  );
  return Number(rows[0]?.version ?? 0);
}

/** @throws Error where the tables are not those of this release */
export async function checkVersion(db: Database, engine: Engine, tables: Tables): Promise<void> {
  const version = await versionOf(db, engine, tables);
  if (version < STEPS.length) throw new Error("the tables of the store are missing or old: run store.migrate() first");
  if (version > STEPS.length) throw new Error("the tables of the store were made by a later release");
}

async function apply(part: Part, db: Database, engine: Engine): Promise<void> {
  if ("execute" in part) await part.execute(db);
  else if ("index" in part) {
    const { index, on } = part;
    if (!(await engine.has(db, index))) await sql`create index ${sql.id(index)} on ${on}`.execute(db);
  } else {
    const { table, column, type } = part;
    if (await engine.hasColumn(db, table, column)) return;
    await sql`alter table ${sql.id(table)} add column ${sql.id(column)} ${type}`.execute(db);
  }
}

/** Brings the tables up to date. Any number of processes may do so at once. */
export async function migrate(db: Database, engine: Engine, tables: Tables): Promise<void> {
  // Asked first: a role that may not make tables can still start on tables that are there.
  if ((await versionOf(db, engine, tables)) < STEPS.length) {
    await alone(db, engine, async (connection) => {
      await sql`create table if not exists ${tables.migrations} (
        version integer not null primary key, applied_at bigint not null) ${engine.tableEnd}`.execute(connection);
      for (let step = await versionOf(connection, engine, tables); step < STEPS.length; step++) {
        for (const part of STEPS[step]?.(tables, engine) ?? []) await apply(part, connection, engine);
        const record = sql`insert into ${tables.migrations} (version, applied_at) values (${step + 1}, ${engine.now()})`;
        await record.execute(connection);
      }
    });
  }
  await checkVersion(db, engine, tables);
}
