import { type RawBuilder, sql } from "kysely";
import type { FeedEntry, FeedTip, LiveEntry, LivePage, RevocationFeed } from "../contract.ts";
import { first, type Row } from "./engine.ts";
import {
  deadSecond,
  Forgotten,
  knownFrom,
  knownValues,
  renewedColumns,
  type Seen,
  seenColumns,
  seenFrom,
} from "./generation.ts";
import { EPOCH, FLAG, type Parts } from "./parts.ts";
import { bytesOf, fromColumn } from "./rows.ts";

/** What tells where the feed stands also writes: a server that cannot is not the primary. */
const asking = ({ engine, tables }: Parts): RawBuilder<unknown> => sql`
  insert into ${tables.pulse} as p (id, beats) select 1, 1 from ${knownFrom(engine, tables)}
  on conflict (id) do update set beats = p.beats + 1
  returning ${renewedColumns(engine, tables)}`;

const numbering = ({ tables }: Parts): RawBuilder<unknown> =>
  sql`select m.seq as seq from ${tables.meta} m where m.id = 1`;

/** @throws Error where the row is damaged, foreign, or of a later version */
function entryOf({ kind, id, epoch, keep_until }: Row): LiveEntry {
  const key = bytesOf(id);
  const until = fromColumn(keep_until);
  if (key.length !== 16) throw new Error("the store holds a revocation whose key cannot be read");
  if (Number(kind) === FLAG) return { kind: "flag", key, until };
  if (Number(kind) === EPOCH) return { kind: "epoch", key, epoch: fromColumn(epoch), until };
  throw new Error("the store holds a revocation of a kind that is not known here");
}

/** @throws RangeError for what is no number of entries */
function atMost(limit: number): number {
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new RangeError("a page of the feed must have room for an entry at least");
}

/** What is being revoked. All of it is one partition. */
export function feedOf(parts: Parts): RevocationFeed {
  const { engine, tables, lineage, runner } = parts;
  const watchers = new Set<(partition: number) => void>();
  let stopWatching: (() => void) | undefined;

  const { write } = engine;
  const beat = write
    ? (): Promise<Seen> =>
        runner.ask(async ({ known }) => {
          const row = known && (await write(parts.compiled(asking), knownValues(known)));
          if (!row) throw new Forgotten("the store has forgotten");
          return lineage.renew(row, known);
        })
    : (): Promise<Seen> =>
        runner.change(async ({ db, known }) => {
          const context = sql`select ${seenColumns(engine, tables, known?.seq)} from ${seenFrom(tables)}`;
          const seen = lineage.check(await first(context, db), known);
          const { pulse } = tables;
          await sql`insert into ${pulse} (id, beats) values (1, 1) ${engine.onConflict} beats = ${pulse}.beats + 1`.execute(
            db,
          );
          return seen;
        });

  async function tip(): Promise<FeedTip> {
    const seen = await beat();
    const { generation, seq, seenAt: now, everything } = seen;
    return { generation, seq, now, everything, everythingSecond: deadSecond(everything, seen) };
  }

  async function since(_partition: number, seq: number, limit: number): Promise<readonly FeedEntry[]> {
    return runner.ask(async ({ db, known }) => {
      const { rows } = await sql<Row>`select ${seenColumns(engine, tables, known?.seq)}, f.* from ${seenFrom(tables)}
        left join (select * from ${tables.feed} where seq > ${seq} order by seq limit ${atMost(limit)}) f on true
        order by f.seq`.execute(db);
      lineage.check(rows[0], known);
      const entries = rows.filter((row) => row.seq !== null);
      return entries.map((row) => ({ ...entryOf(row), seq: fromColumn(row.seq) }));
    });
  }

  /** One table after the other, each by its key: an entry keeps its place, whatever is added meanwhile. */
  async function live(_partition: number, cursor = "flag:", limit: number): Promise<LivePage> {
    const [, table, hex] = /^(flag|epoch):((?:[0-9a-f]{2})*)$/.exec(cursor) ?? [];
    if (table === undefined || hex === undefined) throw new TypeError("the feed gave out no such cursor");
    const last = Buffer.from(hex, "hex");
    const from =
      table === "flag"
        ? sql`${sql.lit(FLAG)} as kind, id, null as epoch, keep_until from ${tables.flags}
            where id > ${last} and id <> (select m.generation from ${tables.meta} m where m.id = 1)`
        : sql`${sql.lit(EPOCH)} as kind, id, epoch, keep_until from ${tables.epochs} where id > ${last}`;
    return runner.ask(async ({ db, known }) => {
      const { rows } = await sql<Row>`select ${seenColumns(engine, tables, known?.seq)}, x.* from ${seenFrom(tables)}
        left join (select ${from} order by id limit ${atMost(limit)}) x on true order by x.id`.execute(db);
      lineage.check(rows[0], known);
      const entries = rows.filter((row) => row.id !== null).map(entryOf);
      if (entries.length === limit) return { entries, next: `${table}:${bytesOf(rows.at(-1)?.id).toString("hex")}` };
      return { entries, next: table === "flag" ? "epoch:" : undefined };
    });
  }

  return {
    partitions: 1,
    tip,
    since,
    live,
    watch(changed) {
      // One of its own for each call, so that the same function can be given twice.
      const watcher = (partition: number): void => changed(partition);
      watchers.add(watcher);
      stopWatching ??= engine.watch(() => {
        for (const each of watchers) each(0);
      }, parts.compiled(numbering));
      return () => {
        watchers.delete(watcher);
        if (watchers.size > 0) return;
        stopWatching?.();
        stopWatching = undefined;
      };
    },
  };
}
