import { type RawBuilder, sql } from "kysely";
import type { Database, Engine } from "../../stores/sql/engine.ts";
import { alone } from "../../stores/sql/migrations.ts";
import type { AccountDialect } from "./dialects.ts";
import type { AccountNames } from "./tables.ts";

/** A statement, or an index that is made where there is none of that name. */
type Part =
  | RawBuilder<unknown>
  | { readonly index: string; readonly unique?: boolean; readonly on: RawBuilder<unknown> };

/** The steps from an empty database to the present tables. Steps are added at the end, never changed, and do no harm where they run again. */
const STEPS: readonly ((names: AccountNames, dialect: AccountDialect, engine: Engine) => readonly Part[])[] = [
  ({ users, audit, limits }, { word }, { text, tableEnd }) => [
    sql`create table if not exists ${users} (
      id ${word} not null primary key,
      name ${word} not null,
      password_hash ${text} not null,
      roles ${text} not null,
      disabled integer not null,
      version bigint not null,
      pending integer not null,
      created_at bigint not null
    ) ${tableEnd}`,
    { index: "users_name", unique: true, on: sql`${users} (name)` },
    sql`create table if not exists ${audit} (
      id ${word} not null primary key,
      at bigint not null,
      kind ${word} not null,
      outcome ${word} not null,
      subject ${word},
      actor ${word},
      session ${word},
      address ${word},
      user_agent ${text},
      detail ${text}
    ) ${tableEnd}`,
    { index: "audit_subject", on: sql`${audit} (subject, id)` },
    { index: "audit_kind", on: sql`${audit} (kind, id)` },
    // The columns are those that the limiters of rate-limiter-flexible expect, in this order.
    sql`create table if not exists ${limits} (
      ${sql.id("key")} ${word} not null primary key,
      points integer not null,
      expire bigint
    ) ${tableEnd}`,
    { index: "limits_expire", on: sql`${limits} (expire)` },
  ],
];

async function versionOf(db: Database, engine: Engine, { migrations, nameOf }: AccountNames): Promise<number> {
  if (!(await engine.has(db, nameOf("accounts_migrations")))) return 0;
  const { rows } = await sql<{ version: unknown }>`select max(version) as version from ${migrations}`.execute(db);
  return Number(rows[0]?.version ?? 0);
}

/** @throws Error where the tables are not those of this release */
export async function checkTables(db: Database, engine: Engine, names: AccountNames): Promise<void> {
  const version = await versionOf(db, engine, names);
  if (version < STEPS.length) throw new Error("the tables of accounts are missing or old: run migrate() first");
  if (version > STEPS.length) throw new Error("the tables of accounts were made by a later release");
}

async function apply(part: Part, db: Database, engine: Engine, { nameOf }: AccountNames): Promise<void> {
  if ("execute" in part) return void (await part.execute(db));
  const name = nameOf(part.index);
  if (await engine.has(db, name)) return;
  await sql`create ${part.unique ? sql`unique index` : sql`index`} ${sql.id(name)} on ${part.on}`.execute(db);
}

/** Brings the tables up to date. Any number of processes may do so at once. */
export async function migrateTables(
  db: Database,
  engine: Engine,
  names: AccountNames,
  dialect: AccountDialect,
): Promise<void> {
  // Asked first: a role that may not make tables can still start on tables that are there.
  if ((await versionOf(db, engine, names)) < STEPS.length) {
    await alone(db, engine, async (own) => {
      await sql`create table if not exists ${names.migrations} (version integer not null primary key)
        ${engine.tableEnd}`.execute(own);
      for (let step = await versionOf(own, engine, names); step < STEPS.length; step++) {
        for (const part of STEPS[step]?.(names, dialect, engine) ?? []) await apply(part, own, engine, names);
        await sql`insert into ${names.migrations} (version) values (${step + 1})`.execute(own);
      }
    });
  }
  await checkTables(db, engine, names);
}
