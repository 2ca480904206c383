import { randomBytes } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import type { Database, Engine } from "./engine.ts";
import type { Lineage } from "./generation.ts";
import type { Tables } from "./names.ts";
import { toColumn } from "./rows.ts";
import type { Runner } from "./runner.ts";
import type { Statement } from "./statement.ts";

/** What the operations of a store work with. */
export interface Parts {
  readonly engine: Engine;
  readonly tables: Tables;
  readonly lineage: Lineage;
  readonly runner: Runner;
  /** The statement that `make` makes, compiled at the first call. */
  compiled(make: (parts: Parts) => RawBuilder<unknown>): Statement;
}

/** What an entry of the feed tells of. */
export const FLAG = 1;
export const EPOCH = 2;

/** Marks a token, a session or a key as revoked; an entry never becomes shorter. */
export async function addFlag(parts: Parts, db: Database, id: Buffer, until: number): Promise<void> {
  const { engine, tables } = parts;
  const { greatest, proposed, onConflict } = engine;
  await takeNumber(parts, db);
  await sql`insert into ${tables.flags} (id, keep_until) values (${id}, ${toColumn(until)})
    ${onConflict} keep_until = ${greatest}(${tables.flags}.keep_until, ${proposed("keep_until")})`.execute(db);
  await tell(parts, db, FLAG, id);
}

/**
 * Moves an epoch to now, or as far as it takes to end every session there is: where the clock has moved back, or all of it
 * happens in one millisecond, sessions are born just after the last epoch, later than now.
 */
export async function raiseEpoch(
  parts: Parts,
  db: Database,
  id: Buffer,
  subject: string | null,
  until: number,
): Promise<void> {
  const { engine, tables } = parts;
  const { greatest, proposed, onConflict } = engine;
  await takeNumber(parts, db);
  const whose = subject === null ? sql`` : sql`where s.subject_id = ${id}`;
  const last = sql`coalesce((select max(s.born) from ${tables.sessions} s ${whose}), 0)`;
  await sql`insert into ${tables.epochs} (id, subject, epoch, keep_until)
    values (${id}, ${subject}, ${greatest}(${engine.now()}, ${last}), ${toColumn(until)})
    ${onConflict} epoch = ${greatest}(${tables.epochs}.epoch + 1, ${proposed("epoch")}),
      keep_until = ${greatest}(${tables.epochs}.keep_until, ${proposed("keep_until")})`.execute(db);
  await tell(parts, db, EPOCH, id);
}

/**
 * Counts a revocation, by which processes notice that an older copy of the tables was restored. Its lock makes the order of
 * the numbers that of the commits. Comes after what is read along: what is counted here is not yet committed, and must not
 * be taken for seen.
 */
async function takeNumber({ tables }: Parts, db: Database): Promise<void> {
  await sql`update ${tables.meta} set seq = seq + 1, mark = ${randomBytes(8)} where id = 1`.execute(db);
}

/** Adds a row of flags or epochs to the feed, as it now is. */
async function tell({ engine, tables }: Parts, db: Database, kind: number, id: Buffer): Promise<void> {
  const [table, epoch] = kind === FLAG ? [tables.flags, sql`null`] : [tables.epochs, sql`r.epoch`];
  await sql`insert into ${tables.feed} (seq, mark, kind, id, epoch, keep_until)
    select m.seq, m.mark, ${sql.lit(kind)}, r.id, ${epoch}, r.keep_until
    from ${tables.meta} m join ${table} r on m.id = 1 and r.id = ${id} ${engine.wake}`.execute(db);
}
