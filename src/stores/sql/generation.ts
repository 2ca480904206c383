import { randomBytes } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import type { Limits } from "../contract.ts";
import { type Database, type Engine, first } from "./engine.ts";
import { EVERYTHING } from "./keys.ts";
import { transaction } from "./migrations.ts";
import type { Tables } from "./names.ts";
import { bytesOf, FOREVER, fromColumn, toColumn } from "./rows.ts";

/** Thrown where the store is not the one this process knows: the runner mends it and asks again. */
export class Forgotten extends Error {}

/** The store as this process last saw it. */
export interface Known {
  readonly generation: string;
  /** Counts revocations; never falls, unless an older copy of the tables is restored. */
  readonly seq: number;
  /** By the store's clock. */
  readonly seenAt: number;
  /** The epoch of everything, in milliseconds. */
  readonly everything: number;
}

/** What every statement that answers something reads along, in the same snapshot. */
export interface Seen extends Known {
  readonly previous: string | undefined;
  readonly madeAt: number;
  /** Whether nothing was known to have been there before this generation. */
  readonly isNew: boolean;
}

/** The columns of `Seen`. */
export function seenColumns(engine: Engine): RawBuilder<unknown> {
  return sql`m.generation as m_generation, m.previous as m_previous, m.made_at as m_made_at, m.is_new as m_is_new,
    m.seq as m_seq, e.epoch as m_everything, ${engine.now()} as m_now, ${engine.primary} as m_primary`;
}

/**
 * Where they come from. There is a row only if each of the tables that revoke still holds its mark: so one that was
 * emptied is missed, not only the first.
 */
export function seenFrom({ meta, flags, epochs }: Tables): RawBuilder<unknown> {
  return sql`${meta} m join ${flags} g on g.id = m.generation join ${epochs} e on e.id = ${EVERYTHING}`;
}

/** @throws Error where the answer comes from a read replica, which may not know the last revocations */
function seenOf(row: Readonly<Record<string, unknown>>): Seen {
  if (Number(row.m_primary) !== 1) throw new Error("the store was answered by a read replica");
  const hex = (value: unknown): string => bytesOf(value).toString("hex");
  return {
    generation: hex(row.m_generation),
    previous: row.m_previous === null ? undefined : hex(row.m_previous),
    madeAt: fromColumn(row.m_made_at),
    isNew: Number(row.m_is_new) === 1,
    seq: fromColumn(row.m_seq),
    everything: fromColumn(row.m_everything),
    seenAt: fromColumn(row.m_now),
  };
}

/**
 * Whether what is seen follows from what was known. Another generation does if it was made in place of the known one, or
 * since it was last seen: each begins with an end of everything. One made before that is a foreign copy.
 */
function follows(seen: Seen, known: Known | undefined): boolean {
  if (!known) return true;
  if (seen.generation === known.generation) return seen.seq >= known.seq;
  return seen.previous === known.generation || seen.madeAt >= known.seenAt;
}

/** Remembers which store this is, and notices when it is another. */
export interface Lineage {
  /** To be taken before a question is sent: what was known then must still hold in the answer. */
  known(): Known | undefined;
  /** Compares an answer. @throws Forgotten */
  check(row: Readonly<Record<string, unknown>> | undefined, known: Known | undefined): Seen;
  /** Where the store has forgotten, begins a new generation in which nobody is logged in, in one atomic step. */
  mend(): Promise<void>;
  /** The highest limits this process knows of: a store that forgot them is told. */
  limits: Limits;
}

export function lineageOf(db: Database, engine: Engine, tables: Tables, notify: () => void): Lineage {
  let current: Known | undefined;
  const remember = (seen: Seen, known: Known | undefined): void => {
    if (current?.generation === seen.generation) {
      // Answers may arrive in another order than they were given.
      current = {
        generation: seen.generation,
        seq: Math.max(current.seq, seen.seq),
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
    async mend() {
      const known = current;
      const look = sql<Record<string, unknown>>`select ${seenColumns(engine)} from ${seenFrom(tables)} where m.id = 1`;
      const made = await transaction(db, engine, async (connection) => {
        await engine.lock(connection);
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

  async function begin(connection: Database, known: Known | undefined): Promise<void> {
    const { meta, flags, epochs, sessions } = tables;
    const generation = randomBytes(16);
    const found = await first(
      sql`select ${engine.now()} as now, (select e.epoch from ${epochs} e where e.id = ${EVERYTHING}) as old,
        (select max(s.born) from ${sessions} s) as born, (select count(*) from ${meta}) as metas,
        (select count(*) from (select 1 from ${flags} limit 1) f) as flags`,
      connection,
    );
    const { old, born, metas, flags: flagged } = found ?? {};
    // Later than all that ever began: a server whose clock is behind the lost one's would leave sessions of the last
    // minutes alive.
    const past = Math.max(known?.everything ?? -1, fromColumn(old ?? -1)) + 1;
    const at = Math.max(fromColumn(found?.now), known?.seenAt ?? 0, past, fromColumn(born ?? 0));
    const isEmpty = old === null && born === null && Number(metas) + Number(flagged) === 0;
    const isNew = known === undefined && isEmpty ? 1 : 0;
    const { access, refresh } = lineage.limits;
    const { greatest } = engine;
    await sql`insert into ${epochs} as e (id, epoch, keep_until) values (${EVERYTHING}, ${at}, ${FOREVER})
      on conflict (id) do update set epoch = ${greatest}(e.epoch, excluded.epoch), keep_until = excluded.keep_until`.execute(
      connection,
    );
    await sql`insert into ${meta} as m
      (id, generation, previous, made_at, is_new, seq, access_limit, refresh_limit, secret)
      values (1, ${generation}, ${known ? Buffer.from(known.generation, "hex") : null}, ${at}, ${isNew}, 0,
        ${toColumn(access)}, ${toColumn(refresh)}, ${randomBytes(32)})
      on conflict (id) do update set generation = excluded.generation, previous = excluded.previous,
        made_at = excluded.made_at, is_new = excluded.is_new, seq = m.seq + 1,
        access_limit = ${greatest}(m.access_limit, excluded.access_limit),
        refresh_limit = ${greatest}(m.refresh_limit, excluded.refresh_limit)`.execute(connection);
    await sql`insert into ${flags} (id, keep_until) values (${generation}, ${FOREVER})`.execute(connection);
  }
  return lineage;
}
