import { CompiledQuery, type RawBuilder, sql } from "kysely";
import type { Database, Engine } from "./engine.ts";
import type { Tables } from "./names.ts";

/** The steps from an empty database to the present tables. Steps are added at the end, never changed, and do no harm where they run again. */
const STEPS: readonly ((tables: Tables, engine: Engine) => readonly RawBuilder<unknown>[])[] = [
  ({ meta, sessions, flags, epochs, index }, { bytes }) => [
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
    )`,
    sql`create table if not exists ${sessions} (
      id ${bytes} not null primary key,
      subject_id ${bytes} not null,
      subject text not null,
      detail text not null,
      born bigint not null,
      gen bigint not null,
      auth_time bigint not null,
      issued_at bigint not null,
      refresh_exp bigint,
      absolute_end bigint not null,
      rotated_at bigint,
      raced_count bigint not null,
      op text,
      csrf_seed ${bytes} not null,
      last_used_at bigint not null,
      ended_at bigint,
      ended_why text,
      over_at bigint not null
    )`,
    sql`create index if not exists ${index("sessions_subject")} on ${sessions} (subject_id, born)`,
    sql`create index if not exists ${index("sessions_born")} on ${sessions} (born)`,
    sql`create index if not exists ${index("sessions_over")} on ${sessions} (over_at)`,
    sql`create table if not exists ${flags} (id ${bytes} not null primary key, keep_until bigint not null)`,
    sql`create index if not exists ${index("flags_until")} on ${flags} (keep_until)`,
    sql`create table if not exists ${epochs} (
      id ${bytes} not null primary key,
      subject text,
      epoch bigint not null,
      keep_until bigint not null
    )`,
    sql`create index if not exists ${index("epochs_until")} on ${epochs} (keep_until)`,
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

/** The version of the tables; 0 where there are none. */
async function versionOf(db: Database, engine: Engine, tables: Tables): Promise<number> {
  if (!(await engine.hasTable(db, `${tables.prefix}migrations`))) return 0;
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

/** Brings the tables up to date. Any number of processes may do so at once. */
export async function migrate(db: Database, engine: Engine, tables: Tables): Promise<void> {
  // Asked first: a role that may not make tables can still start on tables that are there.
  if ((await versionOf(db, engine, tables)) < STEPS.length) {
    await transaction(db, engine, async (connection) => {
      await engine.lock(connection);
      await sql`create table if not exists ${tables.migrations} (
        version integer not null primary key, applied_at bigint not null)`.execute(connection);
      for (let step = await versionOf(connection, engine, tables); step < STEPS.length; step++) {
        for (const statement of STEPS[step]?.(tables, engine) ?? []) await statement.execute(connection);
        const record = sql`insert into ${tables.migrations} (version, applied_at) values (${step + 1}, ${engine.now()})`;
        await record.execute(connection);
      }
    });
  }
  await checkVersion(db, engine, tables);
}
