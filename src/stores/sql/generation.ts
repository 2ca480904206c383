import { randomBytes } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import type { Limits } from "../contract.ts";
import { EVERYTHING } from "../keys.ts";
import { type Database, type Engine, first, type Row } from "./engine.ts";
import { alone } from "./migrations.ts";
import type { Tables } from "./names.ts";
import { bytesOf, FOREVER, fromColumn, toColumn } from "./rows.ts";
import { given, type Values } from "./statement.ts";

/** Thrown where the store is not the one this process knows: the runner mends it and asks again. */
export class Forgotten extends Error {}

/** What every statement that answers something reads along, in the same snapshot: the store as this process last saw it. */
export interface Seen {
  readonly generation: string;
  /** Counts revocations; never falls, unless an older copy of the tables is restored. */
  readonly seq: number;
  /** The random mark of the last one, as hex: the same number is given twice where the server lost it once. */
  readonly mark: string;
  /** The mark that now stands at the number known before; `undefined` where there was none, or it is no longer kept. */
  readonly before: string | undefined;
  /** By the store's clock. */
  readonly seenAt: number;
  /** The epoch of everything, in milliseconds. */
  readonly everything: number;
  readonly previous: string | undefined;
  readonly madeAt: number;
  /** Whether nothing was known to have been there before this generation. */
  readonly isNew: boolean;
}

/** The columns of `Seen`. @param last the number that was known before, `known?.seq` */
export function seenColumns(engine: Engine, { feed }: Tables, last: unknown = -1): RawBuilder<unknown> {
  return sql`m.generation as m_generation, m.previous as m_previous, m.made_at as m_made_at, m.is_new as m_is_new,
    m.seq as m_seq, m.mark as m_mark, (select f.mark from ${feed} f where f.seq = ${last}) as m_before,
    e.epoch as m_everything, ${engine.now()} as m_now, ${engine.primary} as m_primary`;
}

/**
 * Where they come from. There is a row only if each of the tables that must not be lost still holds its mark: so one that
 * was emptied is missed, not only the first.
 */
export function seenFrom({ meta, flags, epochs, spent }: Tables): RawBuilder<unknown> {
  return sql`${meta} m join ${flags} g on m.id = 1 and g.id = m.generation join ${spent} n on n.id = m.generation
    join ${epochs} e on e.id = ${EVERYTHING}`;
}

/** The same only where the store is still the one that is known: for statements that change something by themselves. */
export function knownFrom(engine: Engine, tables: Tables): RawBuilder<unknown> {
  const before = sql`(select f.mark from ${tables.feed} f where f.seq = ${given("seq")})`;
  return sql`${seenFrom(tables)} where m.generation = ${given("generation")} and m.seq >= ${given("seq")}
    and coalesce(${before}, ${given("mark")}) = ${given("mark")} and ${engine.primary} = 1`;
}

/** What `knownFrom` is given. */
export function knownValues({ generation, seq, mark }: Seen): Values {
  return { generation: Buffer.from(generation, "hex"), seq, mark: Buffer.from(mark, "hex") };
}

/** What such a statement answers along, for `Lineage.renew`. No column of another table can stand there in SQLite. */
export function renewedColumns(engine: Engine, { meta, epochs }: Tables): RawBuilder<unknown> {
  return sql`(select m.seq from ${meta} m where m.id = 1) as m_seq, (select m.mark from ${meta} m where m.id = 1) as m_mark,
    (select e.epoch from ${epochs} e where e.id = ${EVERYTHING}) as m_everything, ${engine.now()} as m_now`;
}

/**
 * Up to this second of their making tokens without a session are dead by an epoch in milliseconds: the whole second of
 * it, as no more is known of them. The second in which a new system was made is spared, or tokens made at once could
 * never be used.
 */
export function deadSecond(epoch: number, { isNew, madeAt }: Seen): number {
  return Math.floor(epoch / 1000) - (isNew && epoch === madeAt ? 1 : 0);
}

const hex = (value: unknown): string | undefined => (value === null ? undefined : bytesOf(value).toString("hex"));

/** @throws Error where the answer comes from a read replica, which may not know the last revocations */
function seenOf(row: Row): Seen {
  if (Number(row.m_primary) !== 1) throw new Error("the store was answered by a read replica");
  return {
    generation: bytesOf(row.m_generation).toString("hex"),
    previous: hex(row.m_previous),
    madeAt: fromColumn(row.m_made_at),
    isNew: Number(row.m_is_new) === 1,
    seq: fromColumn(row.m_seq),
    mark: hex(row.m_mark) ?? "",
    before: hex(row.m_before),
    everything: fromColumn(row.m_everything),
    seenAt: fromColumn(row.m_now),
  };
}

/**
 * Whether what is seen follows from what was known. Another generation does if it was made in place of the known one, or
 * since it was last seen: each begins with an end of everything. One made before that is a foreign copy.
 */
function follows(seen: Seen, known: Seen | undefined): boolean {
  if (!known) return true;
  if (seen.generation === known.generation) return seen.seq >= known.seq && (seen.before ?? known.mark) === known.mark;
  return seen.previous === known.generation || seen.madeAt >= known.seenAt;
}

/** Remembers which store this is, and notices when it is another. */
export interface Lineage {
  /** To be taken before a question is sent: what was known then must still hold in the answer. */
  known(): Seen | undefined;
  /** Compares an answer. @throws Forgotten */
  check(row: Row | undefined, known: Seen | undefined): Seen;
  /** Takes over what a statement answered that found the store to be the known one. */
  renew(row: Row, known: Seen): Seen;
  /** Where the store has forgotten, begins a new generation in which nobody is logged in, in one atomic step. */
  mend(): Promise<void>;
  /** The highest limits this process knows of: a store that forgot them is told. */
  limits: Limits;
}

export function lineageOf(db: Database, engine: Engine, tables: Tables, notify: () => void): Lineage {
  let current: Seen | undefined;
  const remember = (seen: Seen, known: Seen | undefined): void => {
    if (current?.generation === seen.generation) {
      // Answers may arrive in another order than they were given.
      current = {
        ...(seen.seq > current.seq ? seen : current),
        seenAt: Math.max(current.seenAt, seen.seenAt),
        everything: Math.max(current.everything, seen.everything),
      };
    } else if (current?.generation === known?.generation) {
      // A late answer of an earlier generation, on the other hand, changes nothing.
      current = seen;
      if (known) notify();
    }
  };
  const lineage: Lineage = {
    limits: { access: 0, refresh: 0 },
    known: () => current,
    check(row, known) {
      const seen = row && seenOf(row);
      if (!seen || !follows(seen, known)) throw new Forgotten("the store has forgotten");
      remember(seen, known);
      return seen;
    },
    renew(row, known) {
      const seen = {
        ...known,
        seq: fromColumn(row.m_seq),
        mark: hex(row.m_mark) ?? "",
        everything: fromColumn(row.m_everything),
        seenAt: fromColumn(row.m_now),
      };
      remember(seen, known);
      return seen;
    },
    async mend() {
      const known = current;
      const look = sql<Row>`select ${seenColumns(engine, tables, known?.seq)} from ${seenFrom(tables)}`;
      const made = await alone(db, engine, async (connection) => {
        const row = (await look.execute(connection)).rows[0];
        const seen = row && seenOf(row);
        if (seen && follows(seen, known)) return { seen, isMade: false };
        await begin(connection, known);
        return { seen: seenOf((await look.execute(connection)).rows[0] ?? {}), isMade: true };
      });
      if (!made.isMade) remember(made.seen, known);
      else {
        current = made.seen;
        notify();
      }
    },
  };

  async function begin(connection: Database, known: Seen | undefined): Promise<void> {
    const { meta, flags, epochs, sessions, spent, feed } = tables;
    const generation = randomBytes(16);
    const found = await first(
      sql`select ${engine.now()} as m_now, (select e.epoch from ${epochs} e where e.id = ${EVERYTHING}) as old,
        (select max(s.born) from ${sessions} s) as born, (select count(*) from ${meta}) as metas,
        (select count(*) from (select 1 from ${flags} limit 1) f) as flags`,
      connection,
    );
    const { old, born, metas, flags: flagged } = found ?? {};
    // Later than all that ever began: a server whose clock is behind the lost one's would leave sessions of the last
    // minutes alive.
    const past = Math.max(known?.everything ?? -1, fromColumn(old ?? -1)) + 1;
    const at = Math.max(fromColumn(found?.m_now), known?.seenAt ?? 0, past, fromColumn(born ?? 0));
    const isEmpty = old === null && born === null && Number(metas) + Number(flagged) === 0;
    const isNew = known === undefined && isEmpty ? 1 : 0;
    const { access, refresh } = lineage.limits;
    const { greatest, proposed, onConflict } = engine;
    await sql`insert into ${epochs} (id, epoch, keep_until) values (${EVERYTHING}, ${at}, ${FOREVER})
      ${onConflict} epoch = ${greatest}(${epochs}.epoch, ${proposed("epoch")}),
        keep_until = ${proposed("keep_until")}`.execute(connection);
    await sql`insert into ${meta}
      (id, generation, previous, made_at, is_new, seq, access_limit, refresh_limit, secret)
      values (1, ${generation}, ${known ? Buffer.from(known.generation, "hex") : null}, ${at}, ${isNew}, 0,
        ${toColumn(access)}, ${toColumn(refresh)}, ${randomBytes(32)})
      ${onConflict} generation = ${proposed("generation")}, previous = ${proposed("previous")},
        made_at = ${proposed("made_at")}, is_new = ${proposed("is_new")}, seq = ${meta}.seq + 1, mark = null,
        access_limit = ${greatest}(${meta}.access_limit, ${proposed("access_limit")}),
        refresh_limit = ${greatest}(${meta}.refresh_limit, ${proposed("refresh_limit")})`.execute(connection);
    for (const table of [flags, spent])
      await sql`insert into ${table} (id, keep_until) values (${generation}, ${FOREVER})`.execute(connection);
    // Numbers may begin anew; what is read of them is told apart by the generation.
    await sql`delete from ${feed}`.execute(connection);
  }
  return lineage;
}
