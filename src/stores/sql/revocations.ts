import { type RawBuilder, sql } from "kysely";
import type { MaybePromise } from "../../types.ts";
import type { Limits, Revocation, RevocationQuery } from "../contract.ts";
import { EVERYTHING, storeKey, tokenKey } from "../keys.ts";
import { sessionBirth } from "../session-id.ts";
import { type Database, first, type Row } from "./engine.ts";
import { deadSecond, Forgotten, type Seen, seenColumns, seenFrom } from "./generation.ts";
import { addFlag, type Parts, raiseEpoch } from "./parts.ts";
import { bytesOf, display, fromColumn, overAt, sessionOf, toColumn } from "./rows.ts";
import { given } from "./statement.ts";

const question = ({ engine, tables }: Parts): RawBuilder<unknown> => {
  const ids = sql.join([given("jti"), given("sid"), given("kid")]);
  return sql`select ${seenColumns(engine, tables, given("seq"))},
    case when exists (select 1 from ${tables.flags} f where f.id in (${ids})) then 1 else 0 end as flagged,
    (select u.epoch from ${tables.epochs} u where u.id = ${given("subject")}) as subject_epoch
    from ${seenFrom(tables)}`;
};

/** Whether a token is revoked in any of the five ways, by one statement: all of it is one snapshot. */
export function isRevoked(parts: Parts, query: RevocationQuery): MaybePromise<boolean> {
  const { engine, lineage, runner } = parts;
  const { jti, sid, kid, subject, issuer, iat } = query;
  const statement = parts.compiled(question);
  const ids = {
    jti: jti === undefined ? null : tokenKey(jti, issuer),
    sid: sid === undefined ? null : storeKey("session", sid),
    kid: kid === undefined ? null : storeKey("key", kid),
    subject: subject === undefined ? null : storeKey("subject", subject),
  };
  const judge = (answer: Row | undefined, known: Seen | undefined): boolean => {
    const seen = lineage.check(answer, known);
    if (fromColumn(answer?.flagged) > 0) return true;
    const last = Math.max(seen.everything, fromColumn(answer?.subject_epoch ?? 0));
    if (sid === undefined) return iat === undefined || iat <= deadSecond(last, seen);
    const born = sessionBirth(sid);
    return born === undefined || born <= last;
  };
  const known = lineage.known();
  if (known && engine.readNow) {
    try {
      return judge(engine.readNow(statement, { ...ids, seq: known.seq }), known);
    } catch {
      // Asked again below, which waits, mends, or says what is wrong.
    }
  }
  return runner.ask(async ({ known }) => judge(await engine.read(statement, { ...ids, seq: known?.seq ?? -1 }), known));
}

/** Revokes; what is revoked already stays so for the longer time. */
export function revoke(parts: Parts, revocation: Revocation): Promise<number> {
  const { engine, tables, lineage, runner } = parts;
  const { kind, until } = revocation;
  return runner.change(async ({ db, known }) => {
    const context = await first(sql`select ${seenColumns(engine, tables, known?.seq)} from ${seenFrom(tables)}`, db);
    const { seenAt: now } = lineage.check(context, known);
    // The order of locks is that of a rotation that finds a theft: the session, the count, the flag.
    if (kind === "session") await endSession(parts, db, revocation.sid);
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

/** Raises the limits that all processes know, and answers the highest. */
export function raiseLimits({ engine, tables, lineage, runner }: Parts, asked: Limits): Promise<Limits> {
  const { greatest } = engine;
  return runner.change(async ({ db }) => {
    // Those that this process saw before count as asked for: another process may have mended a store that forgot them.
    const access = toColumn(Math.ceil(Math.max(asked.access, lineage.limits.access)));
    const refresh = toColumn(Math.ceil(Math.max(asked.refresh, lineage.limits.refresh)));
    await sql`update ${tables.meta} set access_limit = ${greatest}(access_limit, ${access}),
      refresh_limit = ${greatest}(refresh_limit, ${refresh}) where id = 1`.execute(db);
    const answer = await first(sql`select access_limit, refresh_limit from ${tables.meta} where id = 1`, db);
    if (!answer) throw new Forgotten("the store has forgotten");
    lineage.limits = { access: fromColumn(answer.access_limit), refresh: fromColumn(answer.refresh_limit) };
    return lineage.limits;
  });
}

/** The secret that was made with the store. */
export function secret({ engine, tables, lineage, runner }: Parts): Promise<Uint8Array> {
  return runner.ask(async ({ db, known }) => {
    const answer = await first(
      sql`select ${seenColumns(engine, tables, known?.seq)}, m.secret from ${seenFrom(tables)}`,
      db,
    );
    lineage.check(answer, known);
    return bytesOf(answer?.secret);
  });
}
