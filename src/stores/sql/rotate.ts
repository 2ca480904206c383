import { sql } from "kysely";
import type { Presented, Rotation, SessionRow } from "../contract.ts";
import { assertAwaited, decide } from "../rotation.ts";
import { type Database, first } from "./engine.ts";
import { seenColumns, seenFrom } from "./generation.ts";
import { storeKey } from "./keys.ts";
import { addFlag, countRevocation, type Parts } from "./parts.ts";
import { asEpochsLeaveIt, bytesOf, detailOf, fromColumn, overAt, sessionOf, toColumn } from "./rows.ts";

/** Exchanges a refresh token: the row is locked, then judged, then written, so that of many only one finds it unchanged. */
export function rotate(parts: Parts, presented: Presented): Promise<Rotation> {
  const { engine, tables, lineage, runner } = parts;
  const id = storeKey("session", presented.sid);
  return runner.change(async ({ db, known, isRetry }) => {
    const stored = await first(sql`select * from ${tables.sessions} where id = ${id} ${engine.forUpdate}`, db);
    // A statement of its own: it sees what was committed while the lock was waited for, and its clock runs after that.
    const subject = stored
      ? sql`(select u.epoch from ${tables.epochs} u where u.id = ${bytesOf(stored.subject_id)})`
      : sql`cast(null as bigint)`;
    const context = await first(
      sql`select ${seenColumns(engine)}, ${subject} as subject_epoch from ${seenFrom(tables)} where m.id = 1`,
      db,
    );
    const { everything, seenAt: now } = lineage.check(context, known);
    const row = stored && asEpochsLeaveIt(sessionOf(stored), everything, fromColumn(context?.subject_epoch ?? 0));
    // Our own finding, whose answer was lost on the way.
    if (isRetry && row?.endedWhy === "reused" && row.op === presented.nonce) return { outcome: "reused", row };
    const rotation = decide(row, presented, now);
    if (rotation.outcome === "reused") {
      assertAwaited(presented);
      await write(parts, db, id, { ...rotation.row, op: presented.nonce });
      await countRevocation(parts, db);
      await addFlag(parts, db, id, presented.endedUntil);
    } else if (rotation.row && rotation.row !== row) await write(parts, db, id, rotation.row);
    return rotation;
  });
}

/** Writes what a rotation may have changed of a row that is locked. */
async function write({ engine, tables }: Parts, db: Database, id: Buffer, row: SessionRow): Promise<void> {
  const column = (value: number | undefined): number | null => (value === undefined ? null : toColumn(value));
  const op = row.op === undefined ? null : JSON.stringify(row.op);
  await sql`update ${tables.sessions} set gen = ${toColumn(row.gen)}, issued_at = ${toColumn(row.issuedAt)},
    refresh_exp = ${column(row.refreshExp)}, rotated_at = ${column(row.rotatedAt)},
    raced_count = ${toColumn(row.racedCount)}, op = ${op}, detail = ${detailOf(row)},
    last_used_at = ${engine.greatest}(last_used_at, ${toColumn(row.lastUsedAt)}),
    ended_at = ${column(row.endedAt)}, ended_why = ${row.endedWhy ?? null}, over_at = ${overAt(row)}
    where id = ${id}`.execute(db);
}
