import { sql } from "kysely";
import type { Limits, Revocation, RevocationQuery } from "../contract.ts";
import { sessionBirth } from "../session-id.ts";
import { type Database, first } from "./engine.ts";
import { Forgotten, seenColumns, seenFrom } from "./generation.ts";
import { EVERYTHING, storeKey, tokenKey } from "./keys.ts";
import { addFlag, countRevocation, type Parts } from "./parts.ts";
import { bytesOf, display, fromColumn, overAt, sessionOf, toColumn } from "./rows.ts";

/** Whether a token is revoked in any of the five ways, by one statement: all of it is one snapshot. */
export function isRevoked({ engine, tables, lineage, runner }: Parts, query: RevocationQuery): Promise<boolean> {
  const { jti, sid, kid, subject, issuer, iat } = query;
  const ids: Buffer[] = [];
  if (jti !== undefined) ids.push(tokenKey(jti, issuer));
  if (sid !== undefined) ids.push(storeKey("session", sid));
  if (kid !== undefined) ids.push(storeKey("key", kid));
  const flagged =
    ids.length === 0 ? sql`0` : sql`(select count(*) from ${tables.flags} f where f.id in (${sql.join(ids)}))`;
  const epoch =
    subject === undefined
      ? sql`null`
      : sql`(select u.epoch from ${tables.epochs} u where u.id = ${storeKey("subject", subject)})`;
  return runner.ask(async ({ db, known }) => {
    const answer = await first(
      sql`select ${seenColumns(engine)}, ${flagged} as flagged, ${epoch} as subject_epoch
        from ${seenFrom(tables)} where m.id = 1`,
      db,
    );
    const { everything, madeAt, isNew } = lineage.check(answer, known);
    if (fromColumn(answer?.flagged) > 0) return true;
    const last = Math.max(everything, fromColumn(answer?.subject_epoch ?? 0));
    if (sid !== undefined) {
      const born = sessionBirth(sid);
      return born === undefined || born <= last;
    }
    // Without a session only the second of the making is known: the whole second of an epoch dies. The second in which a
    // new system was made is spared, or tokens made at once could never be used.
    const second = Math.floor(last / 1000) - (isNew && last === madeAt ? 1 : 0);
    return iat === undefined || iat <= second;
  });
}

/** Revokes; what is revoked already stays so for the longer time. */
export function revoke(parts: Parts, revocation: Revocation): Promise<number> {
  const { engine, tables, lineage, runner } = parts;
  const { kind, until } = revocation;
  return runner.change(async ({ db, known }) => {
    const context = await first(sql`select ${seenColumns(engine)} from ${seenFrom(tables)} where m.id = 1`, db);
    const { seenAt: now } = lineage.check(context, known);
    // The order of locks is that of a rotation that finds a theft: the session, the count, the flag.
    if (kind === "session") await endSession(parts, db, revocation.sid);
    await countRevocation(parts, db);
    if (kind === "token") await addFlag(parts, db, tokenKey(revocation.jti, revocation.issuer), until);
    else if (kind === "session") await addFlag(parts, db, storeKey("session", revocation.sid), until);
    else if (kind === "key") await addFlag(parts, db, storeKey("key", revocation.kid), until);
    else if (kind === "everything") await raiseEpoch(parts, db, EVERYTHING, null, until);
    else {
      const { subject } = revocation;
      await raiseEpoch(parts, db, storeKey("subject", subject), display(subject), until);
    }
    return now;
  });
}

async function endSession({ engine, tables }: Parts, db: Database, sid: string): Promise<void> {
  const id = storeKey("session", sid);
  const stored = await first(
    sql`select s.*, ${engine.now()} as m_now from ${tables.sessions} s where s.id = ${id} ${engine.forUpdate}`,
    db,
  );
  if (!stored || stored.ended_at !== null) return;
  const endedAt = fromColumn(stored.m_now);
  const over = overAt({ ...sessionOf(stored), endedAt });
  await sql`update ${tables.sessions} set ended_at = ${toColumn(endedAt)}, ended_why = 'logout', over_at = ${over}
    where id = ${id}`.execute(db);
}

/**
 * Moves an epoch to now, or as far as it takes to end every session there is: where the clock has moved back, or all of it
 * happens in one millisecond, sessions are born just after the last epoch, later than now.
 */
async function raiseEpoch(
  { engine, tables }: Parts,
  db: Database,
  id: Buffer,
  subject: string | null,
  until: number,
): Promise<void> {
  const { greatest } = engine;
  const whose = subject === null ? sql`` : sql`where s.subject_id = ${id}`;
  const last = sql`coalesce((select max(s.born) from ${tables.sessions} s ${whose}), 0)`;
  await sql`insert into ${tables.epochs} as e (id, subject, epoch, keep_until)
    values (${id}, ${subject}, ${greatest}(${engine.now()}, ${last}), ${toColumn(until)})
    on conflict (id) do update set epoch = ${greatest}(e.epoch + 1, excluded.epoch),
      keep_until = ${greatest}(e.keep_until, excluded.keep_until)`.execute(db);
}

/** Raises the limits that all processes know, and answers the highest. */
export function raiseLimits({ engine, tables, lineage, runner }: Parts, asked: Limits): Promise<Limits> {
  const { greatest } = engine;
  return runner.change(async ({ db }) => {
    // Those that this process saw before count as asked for: another process may have mended a store that forgot them.
    const access = toColumn(Math.ceil(Math.max(asked.access, lineage.limits.access)));
    const refresh = toColumn(Math.ceil(Math.max(asked.refresh, lineage.limits.refresh)));
    const answer = await first(
      sql`update ${tables.meta} set access_limit = ${greatest}(access_limit, ${access}),
        refresh_limit = ${greatest}(refresh_limit, ${refresh}) where id = 1 returning access_limit, refresh_limit`,
      db,
    );
    if (!answer) throw new Forgotten("the store has forgotten");
    lineage.limits = { access: fromColumn(answer.access_limit), refresh: fromColumn(answer.refresh_limit) };
    return lineage.limits;
  });
}

/** The secret that was made with the store. */
export function secret({ engine, tables, lineage, runner }: Parts): Promise<Uint8Array> {
  return runner.ask(async ({ db, known }) => {
    const answer = await first(
      sql`select ${seenColumns(engine)}, m.secret from ${seenFrom(tables)} where m.id = 1`,
      db,
    );
    lineage.check(answer, known);
    return bytesOf(answer?.secret);
  });
}
