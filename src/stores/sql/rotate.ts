import { type RawBuilder, sql } from "kysely";
import type { Presented, Rotation, SessionRow } from "../contract.ts";
import { storeKey } from "../keys.ts";
import { assertAwaited, decide } from "../rotation.ts";
import { type Database, first } from "./engine.ts";
import { knownFrom, knownValues, renewedColumns, seenColumns, seenFrom } from "./generation.ts";
import { addFlag, type Parts } from "./parts.ts";
import {
  asEpochsLeaveIt,
  bytesOf,
  FOREVER,
  fromColumn,
  overAt,
  SESSION_COLUMNS,
  sessionOf,
  textColumn,
  toColumn,
} from "./rows.ts";
import { given, type Values } from "./statement.ts";

/** Exchanges a refresh token: by one statement where all is well, else row by row under a lock. */
export async function rotate(parts: Parts, presented: Presented): Promise<Rotation> {
  return (await rotateAtOnce(parts, presented)) ?? rotateLocked(parts, presented);
}

/**
 * Exchanges the present refresh token of a live session, and does nothing at all in any other case.
 *
 * Of many at once one finds the generation: the others wait for its commit, and then look at the row again. They look at
 * the row only, not at the epochs again: an end of the subject or of everything that was committed while they waited is
 * not seen. That is as if the rotation had come first. What it hands out is dead all the same, as the session was born
 * before that end.
 */
const exchange = ({ engine, tables }: Parts): RawBuilder<unknown> => {
  const { sessions, epochs } = tables;
  const { greatest, least } = engine;
  const [now, never] = [engine.now(), sql.lit(FOREVER)];
  const lastSecond = sql`case when s.absolute_end >= ${never} then ${never} else s.absolute_end / 1000 end`;
  const exp = sql`${least}(cast(${given("refreshExp")} as bigint), ${lastSecond})`;
  return sql`update ${sessions} as s set gen = s.gen + 1, op = ${given("op")}, issued_at = ${given("issuedAt")},
      refresh_exp = nullif(${exp}, ${never}), rotated_at = ${now}, last_used_at = ${greatest}(s.last_used_at, ${now}),
      over_at = ${least}(${exp} * 1000, s.absolute_end), user_agent = coalesce(${given("userAgent")}, s.user_agent),
      address = coalesce(${given("address")}, s.address)
    where s.id = ${given("id")} and s.subject_id = ${given("subject")} and s.gen = ${given("gen")}
      and s.ended_at is null and s.absolute_end > ${now} and (s.refresh_exp is null or s.refresh_exp * 1000 > ${now})
      and s.born > coalesce((select u.epoch from ${epochs} u where u.id = ${given("subject")}), 0)
      and s.born > coalesce((select e.epoch from ${knownFrom(engine, tables)}), ${never})
    returning ${sql.join(SESSION_COLUMNS.map((name) => sql.ref(name)))}, ${renewedColumns(engine, tables)}`;
};

const looking = ({ tables }: Parts): RawBuilder<unknown> =>
  sql`select 1 as present from ${tables.sessions} where id = ${given("id")} and gen = ${given("gen")}`;

/** Whether it is worth asking for the lock of SQLite: those who come second need not wait for it twice. */
function mayBePresent(parts: Parts, values: Values): boolean {
  try {
    return parts.engine.readNow?.(parts.compiled(looking), values) !== undefined;
  } catch {
    return true;
  }
}

async function rotateAtOnce(parts: Parts, presented: Presented): Promise<Rotation | undefined> {
  const { engine, lineage, runner } = parts;
  const { write } = engine;
  if (!write) return undefined;
  const values = {
    id: storeKey("session", presented.sid),
    subject: storeKey("subject", presented.subject),
    gen: toColumn(presented.gen),
    op: textColumn(presented.nonce),
    issuedAt: toColumn(presented.issuedAt),
    refreshExp: toColumn(presented.refreshExp ?? FOREVER),
    userAgent: textColumn(presented.userAgent),
    address: textColumn(presented.address),
  };
  return runner.ask(async ({ known }) => {
    if (!known || (engine.readNow && !mayBePresent(parts, values))) return undefined;
    const row = await write(parts.compiled(exchange), { ...values, ...knownValues(known) });
    if (!row) return undefined;
    lineage.renew(row, known);
    return { outcome: "rotated", row: sessionOf(row) };
  });
}

/** Locks the row, judges it, then writes it, so that of many only one finds it unchanged. */
function rotateLocked(parts: Parts, presented: Presented): Promise<Rotation> {
  const { engine, tables, lineage, runner } = parts;
  const id = storeKey("session", presented.sid);
  return runner.change(async ({ db, known, isRetry }) => {
    const stored = await first(sql`select * from ${tables.sessions} where id = ${id} ${engine.forUpdate}`, db);
    // A statement of its own: it sees what was committed while the lock was waited for, and its clock runs after that.
    const subject = stored ? bytesOf(stored.subject_id) : null;
    const context = await first(
      sql`select ${seenColumns(engine, tables, known?.seq)}, (select u.epoch from ${tables.epochs} u where u.id = ${subject})
        as subject_epoch from ${seenFrom(tables)}`,
      db,
    );
    const { everything, seenAt: now } = lineage.check(context, known);
    const row = stored && asEpochsLeaveIt(sessionOf(stored), everything, fromColumn(context?.subject_epoch ?? 0));
    // Our own finding, whose answer was lost on the way.
    if (isRetry && row?.endedWhy === "reused" && row.op === presented.nonce) return { outcome: "reused", row };
    const rotation = decide(row, presented, now);
    if (rotation.outcome === "reused") {
      assertAwaited(presented);
      await writeRow(parts, db, id, { ...rotation.row, op: presented.nonce });
      await addFlag(parts, db, id, presented.endedUntil);
    } else if (rotation.row && rotation.row !== row) await writeRow(parts, db, id, rotation.row);
    return rotation;
  });
}

/** Writes what a rotation may have changed of a row that is locked. */
async function writeRow({ engine, tables }: Parts, db: Database, id: Buffer, row: SessionRow): Promise<void> {
  const column = (value: number | undefined): number | null => (value === undefined ? null : toColumn(value));
  await sql`update ${tables.sessions} set gen = ${toColumn(row.gen)}, issued_at = ${toColumn(row.issuedAt)},
    refresh_exp = ${column(row.refreshExp)}, rotated_at = ${column(row.rotatedAt)},
    raced_count = ${toColumn(row.racedCount)}, op = ${textColumn(row.op)},
    user_agent = ${textColumn(row.userAgent)}, address = ${textColumn(row.address)},
    last_used_at = ${engine.greatest}(last_used_at, ${toColumn(row.lastUsedAt)}),
    ended_at = ${column(row.endedAt)}, ended_why = ${row.endedWhy ?? null}, over_at = ${overAt(row)}
    where id = ${id}`.execute(db);
}
