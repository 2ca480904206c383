import { sql } from "kysely";
import type { Database, Engine } from "./engine.ts";
import type { Lineage } from "./generation.ts";
import type { Tables } from "./names.ts";
import { toColumn } from "./rows.ts";
import type { Runner } from "./runner.ts";

/** What the operations of a store work with. */
export interface Parts {
  readonly engine: Engine;
  readonly tables: Tables;
  readonly lineage: Lineage;
  readonly runner: Runner;
}

/**
 * Counts a revocation, by which processes notice that an older copy of the tables was restored. Comes after what is read
 * along: what is counted here is not yet committed, and must not be taken for seen.
 */
export async function countRevocation({ tables }: Parts, db: Database): Promise<void> {
  await sql`update ${tables.meta} set seq = seq + 1 where id = 1`.execute(db);
}

/** Marks a token, a session or a key as revoked; an entry never becomes shorter. */
export async function addFlag({ engine, tables }: Parts, db: Database, id: Buffer, until: number): Promise<void> {
  await sql`insert into ${tables.flags} as f (id, keep_until) values (${id}, ${toColumn(until)})
    on conflict (id) do update set keep_until = ${engine.greatest}(f.keep_until, excluded.keep_until)`.execute(db);
}
