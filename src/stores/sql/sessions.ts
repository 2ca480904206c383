import { randomBytes } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import type { NewSession, SessionRow } from "../contract.ts";
import { storeKey } from "../keys.ts";
import { isOver } from "../rotation.ts";
import { newSessionId } from "../session-id.ts";
import { type Database, first, readBy, readSoon } from "./engine.ts";
import { knownFrom, knownValues, type Seen, seenColumns, seenFrom } from "./generation.ts";
import type { Parts } from "./parts.ts";
import { asEpochsLeaveIt, detailOf, display, fromColumn, overAt, sessionOf, toColumn } from "./rows.ts";
import { given } from "./statement.ts";

/** What the birth of a session depends on. */
const seeing = ({ engine, tables }: Parts): RawBuilder<unknown> =>
  sql`select ${seenColumns(engine, tables, given("seq"))},
    (select u.epoch from ${tables.epochs} u where u.id = ${given("subject_id")}) as subject_epoch from ${seenFrom(tables)}`;

const COLUMNS = [
  ...["id", "subject_id", "subject", "detail", "born", "gen", "auth_time", "issued_at", "refresh_exp"],
  ...["absolute_end", "raced_count", "csrf_seed", "last_used_at", "over_at"],
] as const;

function columnsOf(row: SessionRow, subjectId: Buffer): Readonly<Record<(typeof COLUMNS)[number], unknown>> {
  return {
    id: storeKey("session", row.sid),
    subject_id: subjectId,
    subject: display(row.subject),
    detail: detailOf(row),
    born: toColumn(row.born),
    gen: 0,
    auth_time: toColumn(row.authTime),
    issued_at: toColumn(row.issuedAt),
    refresh_exp: row.refreshExp === undefined ? null : toColumn(row.refreshExp),
    absolute_end: toColumn(row.absoluteEnd),
    raced_count: 0,
    csrf_seed: row.csrfSeed,
    last_used_at: toColumn(row.lastUsedAt),
    over_at: overAt(row),
  };
}

/** Opens a session where nothing was revoked since its birth was reckoned. */
const opening = ({ engine, tables }: Parts): RawBuilder<unknown> =>
  sql`insert into ${tables.sessions} (${sql.join(COLUMNS.map((name) => sql.ref(name)))})
    select ${sql.join(COLUMNS.map(given))} from ${knownFrom(engine, tables)} and m.seq = ${given("seq")} returning id`;

function newborn(session: NewSession, { everything, seenAt: now }: Seen, subjectEpoch: unknown): SessionRow {
  const born = Math.max(now, everything + 1, fromColumn(subjectEpoch ?? 0) + 1);
  const begin = {
    gen: 0,
    rotatedAt: undefined,
    racedCount: 0,
    op: undefined,
    endedAt: undefined,
    endedWhy: undefined,
  };
  return { ...session, ...begin, sid: newSessionId(born), born, csrfSeed: randomBytes(16), lastUsedAt: now };
}

/** Opens a session: by one statement where nothing is revoked meanwhile, else in a transaction. */
export async function open(parts: Parts, session: NewSession): Promise<SessionRow> {
  const { engine, tables, lineage, runner } = parts;
  const subjectId = storeKey("subject", session.subject);
  let opened: SessionRow | undefined;
  const atOnce = await runner.ask(async ({ known, isRetry }) => {
    if (!engine.write || isRetry) return undefined;
    const context = await readSoon(engine, parts.compiled(seeing), { seq: known?.seq ?? -1, subject_id: subjectId });
    const seen = lineage.check(context, known);
    opened = newborn(session, seen, context?.subject_epoch);
    const values = { ...columnsOf(opened, subjectId), ...knownValues(seen) };
    return (await engine.write(parts.compiled(opening), values)) && opened;
  });
  return atOnce ?? openLocked();

  /** The birth and the epochs that it must be later than are one snapshot. */
  function openLocked(): Promise<SessionRow> {
    return runner.change(async ({ db, known }) => {
      const context = await readBy(db, parts.compiled(seeing), { seq: known?.seq ?? -1, subject_id: subjectId });
      const seen = lineage.check(context, known);
      // An attempt whose answer was lost may have opened it already.
      if (opened && (await find(tables, db, opened.sid))) return opened;
      opened = newborn(session, seen, context?.subject_epoch);
      const columns = Object.entries(columnsOf(opened, subjectId));
      await sql`insert into ${tables.sessions} (${sql.join(columns.map(([name]) => sql.ref(name)))})
        values (${sql.join(columns.map(([, value]) => value))})`.execute(db);
      return opened;
    });
  }
}

const find = (tables: Parts["tables"], db: Database, sid: string) =>
  first(sql`select id from ${tables.sessions} where id = ${storeKey("session", sid)}`, db);

/** The row of a session, live or ended. */
export function read({ engine, tables, lineage, runner }: Parts, sid: string): Promise<SessionRow | undefined> {
  return runner.ask(async ({ db, known }) => {
    const answer = await first(
      sql`select ${seenColumns(engine, tables, known?.seq)}, u.epoch as subject_epoch, s.* from ${seenFrom(tables)}
        left join ${tables.sessions} s on s.id = ${storeKey("session", sid)}
        left join ${tables.epochs} u on u.id = s.subject_id`,
      db,
    );
    const { everything } = lineage.check(answer, known);
    if (!answer || answer.id === null) return undefined;
    return asEpochsLeaveIt(sessionOf(answer), everything, fromColumn(answer.subject_epoch ?? 0));
  });
}

/** The live sessions of a subject, the newest first. */
export function list({ engine, tables, lineage, runner }: Parts, subject: string): Promise<readonly SessionRow[]> {
  const subjectId = storeKey("subject", subject);
  return runner.ask(async ({ db, known }) => {
    const { rows } = await sql<
      Record<string, unknown>
    >`select ${seenColumns(engine, tables, known?.seq)}, u.epoch as subject_epoch, s.*
      from ${seenFrom(tables)} left join ${tables.epochs} u on u.id = ${subjectId}
      left join ${tables.sessions} s on s.subject_id = ${subjectId} and s.ended_at is null
      order by s.born desc`.execute(db);
    const { everything, seenAt: now } = lineage.check(rows[0], known);
    return rows
      .filter(({ id }) => id !== null)
      .map((stored) => asEpochsLeaveIt(sessionOf(stored), everything, fromColumn(stored.subject_epoch ?? 0)))
      .filter((row) => !isOver(row, now));
  });
}

const noting = ({ engine, tables }: Parts): RawBuilder<unknown> =>
  sql`update ${tables.sessions} set last_used_at = ${engine.greatest}(last_used_at, ${engine.now()}) where id = ${given("id")}`;

/** Notes that a session is in use. By one statement where that can be: a lock that is held for longer holds up its logout. */
export async function touch(parts: Parts, sid: string): Promise<void> {
  const { engine, runner } = parts;
  const statement = parts.compiled(noting);
  const values = { id: storeKey("session", sid) };
  const { write } = engine;
  if (write) await runner.ask(() => write(statement, values));
  else await runner.change(({ db }) => readBy(db, statement, values));
}
