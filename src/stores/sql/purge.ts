import { type RawBuilder, sql } from "kysely";
import { first, type Row } from "./engine.ts";
import { seenColumns, seenFrom } from "./generation.ts";
import type { Parts } from "./parts.ts";
import { bytesOf } from "./rows.ts";

/** Milliseconds. A session that is over is remembered for the longest leeway, so that its last tokens are told why. */
const MARGIN = 360_000;
/** How many entries of one sort go in one transaction: a login must not wait for a backlog. */
const BATCH = 500;
/** How many of the last entries of the feed are kept. */
const FEED_LENGTH = 100_000;

/** Removes one batch of each sort. Answers how many went, and whether there may be more. */
async function purgeBatch(parts: Parts, isThorough: boolean): Promise<{ gone: number; isFull: boolean }> {
  const { engine, tables, lineage, runner } = parts;
  const { sessions, flags, epochs, spent, feed } = tables;
  const { skipLocked } = engine;
  return runner.change(async ({ db, known }) => {
    const context = await first(sql`select ${seenColumns(engine, tables, known?.seq)} from ${seenFrom(tables)}`, db);
    const { seenAt: now, everything, seq } = lineage.check(context, known);
    const past = now - MARGIN;
    const remove = async (table: RawBuilder<unknown>, which: RawBuilder<unknown>, key = "id"): Promise<number> => {
      const { rows } = await sql<Row>`${which}`.execute(db);
      const keys = rows.map((row) => (key === "id" ? bytesOf(row.id) : row[key]));
      if (keys.length > 0) await sql`delete from ${table} where ${sql.ref(key)} in (${sql.join(keys)})`.execute(db);
      return keys.length;
    };
    const oldest = seq - FEED_LENGTH;
    const counts = [
      await remove(flags, sql`select id from ${flags} where keep_until <= ${now} limit ${BATCH} ${skipLocked}`),
      await remove(spent, sql`select id from ${spent} where keep_until <= ${now} limit ${BATCH} ${skipLocked}`),
      await remove(feed, sql`select seq from ${feed} where seq <= ${oldest} limit ${BATCH} ${skipLocked}`, "seq"),
      await remove(sessions, sql`select id from ${sessions} where over_at <= ${past} limit ${BATCH} ${skipLocked}`),
    ];
    if (isThorough) {
      // Sessions that an epoch ended carry no mark of it, and those that never expire would stay.
      const dead = sql`s.born <= ${everything <= past ? everything : 0} or exists
        (select 1 from ${epochs} u where u.id = s.subject_id and u.epoch >= s.born and u.epoch <= ${past})`;
      counts.push(
        await remove(sessions, sql`select s.id from ${sessions} s where ${dead} limit ${BATCH} ${skipLocked}`),
      );
    }
    // The epoch of a subject stays while a row is left that it alone keeps dead.
    const idle = sql`u.keep_until <= ${now} and not exists
      (select 1 from ${sessions} s where s.subject_id = u.id and s.born <= u.epoch)`;
    counts.push(await remove(epochs, sql`select u.id from ${epochs} u where ${idle} limit ${BATCH} ${skipLocked}`));
    return { gone: counts.reduce((sum, count) => sum + count, 0), isFull: counts.some((count) => count === BATCH) };
  });
}

/** Removes what may go, all of it. */
export async function purge(parts: Parts): Promise<number> {
  let gone = 0;
  for (let isFull = true; isFull; ) {
    const batch = await purgeBatch(parts, true);
    gone += batch.gone;
    isFull = batch.isFull;
  }
  return gone;
}

/**
 * Removes a batch of what is found by an index, and answers whether there may be more. Housekeeping: what it fails to do is
 * done the next time.
 */
export async function purgeSome(parts: Parts): Promise<boolean> {
  try {
    return (await purgeBatch(parts, false)).isFull;
  } catch {
    return false;
  }
}
