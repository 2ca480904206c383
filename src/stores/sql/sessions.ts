import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { NewSession, SessionRow } from "../contract.ts";
import { isOver } from "../rotation.ts";
import { newSessionId } from "../session-id.ts";
import { type Database, first } from "./engine.ts";
import { seenColumns, seenFrom } from "./generation.ts";
import { storeKey } from "./keys.ts";
import type { Parts } from "./parts.ts";
import { asEpochsLeaveIt, detailOf, display, fromColumn, overAt, sessionOf, toColumn } from "./rows.ts";

/** Opens a session; its birth and the epochs that it must be later than are one snapshot. */
export function open(parts: Parts, session: NewSession): Promise<SessionRow> {
  const { engine, tables, lineage, runner } = parts;
  const subjectId = storeKey("subject", session.subject);
  let opened: SessionRow | undefined;
  return runner.change(async ({ db, known }) => {
    const context = await first(
      sql`select ${seenColumns(engine)}, (select u.epoch from ${tables.epochs} u where u.id = ${subjectId})
        as subject_epoch from ${seenFrom(tables)} where m.id = 1`,
      db,
    );
    const { everything, seenAt: now } = lineage.check(context, known);
    // An attempt whose answer was lost may have opened it already.
    if (opened && (await find(tables, db, opened.sid))) return opened;
    const born = Math.max(now, everything + 1, fromColumn(context?.subject_epoch ?? 0) + 1);
    const begin = {
      gen: 0,
      rotatedAt: undefined,
      racedCount: 0,
      op: undefined,
      endedAt: undefined,
      endedWhy: undefined,
    };
    const row = { ...session, ...begin, sid: newSessionId(born), born, csrfSeed: randomBytes(16), lastUsedAt: now };
    opened = row;
    await insert(parts, db, subjectId, row);
    return row;
  });
}

const find = (tables: Parts["tables"], db: Database, sid: string) =>
  first(sql`select id from ${tables.sessions} where id = ${storeKey("session", sid)}`, db);

async function insert({ tables }: Parts, db: Database, subjectId: Buffer, row: SessionRow): Promise<void> {
  const refreshExp = row.refreshExp === undefined ? null : toColumn(row.refreshExp);
  await sql`insert into ${tables.sessions} (id, subject_id, subject, detail, born, gen, auth_time, issued_at,
    refresh_exp, absolute_end, raced_count, csrf_seed, last_used_at, over_at)
    values (${storeKey("session", row.sid)}, ${subjectId}, ${display(row.subject)}, ${detailOf(row)},
      ${toColumn(row.born)}, 0, ${toColumn(row.authTime)}, ${toColumn(row.issuedAt)}, ${refreshExp},
      ${toColumn(row.absoluteEnd)}, 0, ${row.csrfSeed}, ${toColumn(row.lastUsedAt)}, ${overAt(row)})`.execute(db);
}

/** The row of a session, live or ended. */
export function read({ engine, tables, lineage, runner }: Parts, sid: string): Promise<SessionRow | undefined> {
  return runner.ask(async ({ db, known }) => {
    const answer = await first(
      sql`select ${seenColumns(engine)}, u.epoch as subject_epoch, s.* from ${seenFrom(tables)}
        left join ${tables.sessions} s on s.id = ${storeKey("session", sid)}
        left join ${tables.epochs} u on u.id = s.subject_id where m.id = 1`,
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
    const { rows } = await sql<Record<string, unknown>>`select ${seenColumns(engine)}, u.epoch as subject_epoch, s.*
      from ${seenFrom(tables)} left join ${tables.epochs} u on u.id = ${subjectId}
      left join ${tables.sessions} s on s.subject_id = ${subjectId} and s.ended_at is null
      where m.id = 1 order by s.born desc`.execute(db);
    const { everything, seenAt: now } = lineage.check(rows[0], known);
    return rows
      .filter(({ id }) => id !== null)
      .map((stored) => asEpochsLeaveIt(sessionOf(stored), everything, fromColumn(stored.subject_epoch ?? 0)))
      .filter((row) => !isOver(row, now));
  });
}

/** Notes that a session is in use. */
export function touch({ engine, tables, runner }: Parts, sid: string): Promise<void> {
  return runner.change(async ({ db }) => {
    await sql`update ${tables.sessions} set last_used_at = ${engine.greatest}(last_used_at, ${engine.now()})
      where id = ${storeKey("session", sid)}`.execute(db);
  });
}
