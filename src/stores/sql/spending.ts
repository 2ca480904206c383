import { randomBytes } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import { storeKey } from "../keys.ts";
import { first } from "./engine.ts";
import { knownFrom, knownValues, renewedColumns, seenColumns, seenFrom } from "./generation.ts";
import type { Parts } from "./parts.ts";
import { bytesOf, fromColumn, toColumn } from "./rows.ts";
import { given } from "./statement.ts";

/** Answers a row to the one that took the name, also where its first answer was lost on the way. */
const taking = ({ engine, tables }: Parts): RawBuilder<unknown> => sql`
  insert into ${tables.spent} as t (id, keep_until, op)
  select ${given("id")}, cast(${given("until")} as bigint), ${given("op")} from ${knownFrom(engine, tables)}
  on conflict (id) do update set keep_until = excluded.keep_until, op = excluded.op
    where t.keep_until <= ${engine.now()} or t.op = excluded.op
  returning ${renewedColumns(engine, tables)}`;

const looking = ({ engine, tables }: Parts): RawBuilder<unknown> =>
  sql`select ${seenColumns(engine, tables, given("seq"))} from ${seenFrom(tables)}`;

/** The same in steps, on a row that whoever comes second waits for. */
function takeLocked(
  { engine, tables, lineage, runner }: Parts,
  { id, until, op }: { readonly id: Buffer; readonly until: number; readonly op: Buffer },
): Promise<{ isOurs: boolean; now: number }> {
  const { spent } = tables;
  return runner.change(async ({ db, known }) => {
    await sql`insert into ${spent} (id, keep_until, op) values (${id}, ${until}, ${op})
      ${engine.onConflict} keep_until = ${spent}.keep_until`.execute(db);
    const row = await first(
      sql`select ${seenColumns(engine, tables, known?.seq)}, t.keep_until as keep_until, t.op as op
        from ${seenFrom(tables)} join ${spent} t on t.id = ${id}`,
      db,
    );
    const { seenAt: now } = lineage.check(row, known);
    if (bytesOf(row?.op).equals(op)) return { isOurs: true, now };
    if (fromColumn(row?.keep_until) > now) return { isOurs: false, now };
    await sql`update ${spent} set keep_until = ${until}, op = ${op} where id = ${id}`.execute(db);
    return { isOurs: true, now };
  });
}

/** Takes a name that may be taken once only. Answers the store's time besides. */
export function spend(parts: Parts, name: string, until: number): Promise<{ isOurs: boolean; now: number }> {
  const { engine, lineage, runner } = parts;
  const { write } = engine;
  const values = { id: storeKey("spent", name), until: toColumn(until), op: randomBytes(16) };
  if (!write) return takeLocked(parts, values);
  return runner.ask(async ({ known }) => {
    const row = known && (await write(parts.compiled(taking), { ...values, ...knownValues(known) }));
    if (row) return { isOurs: true, now: lineage.renew(row, known).seenAt };
    // It is taken, unless this is another store than the one that is known.
    const { seenAt: now } = lineage.check(await engine.read(parts.compiled(looking), { seq: known?.seq ?? -1 }), known);
    return { isOurs: false, now };
  });
}
