import { sql } from "kysely";
import type { Row } from "../../stores/sql/engine.ts";
import { given } from "../../stores/sql/statement.ts";
import type { AuditEntry, AuditKind, AuditStore } from "../audit.ts";
import { isDuplicate } from "./dialects.ts";
import type { AccountRunner } from "./runner.ts";
import type { AccountNames } from "./tables.ts";

const COLUMNS = sql`id, at, kind, outcome, subject, actor, session, address, user_agent, detail`;

/** Logins and refusals in a span of time. */
export interface Activity {
  /** Its beginning, in Unix milliseconds. */
  readonly at: number;
  readonly logins: number;
  readonly refusals: number;
}

/** The audit trail in one table. */
export function sqlAudit(
  runner: AccountRunner,
  { audit }: AccountNames,
): AuditStore & {
  purge(until: string): Promise<void>;
  activity(since: string, span: number): Promise<readonly Activity[]>;
} {
  const names = ["id", "at", "kind", "outcome", "subject", "actor", "session", "address", "userAgent", "detail"];
  const insert = runner.writing(sql`insert into ${audit} (${COLUMNS}) values (${sql.join(names.map(given))})`);
  return {
    async add(entry) {
      try {
        await insert({ ...entry });
      } catch (error) {
        // It is there already: the answer to the first attempt was lost on the way.
        if (!isDuplicate(error)) throw error;
      }
    },
    find: ({ subject, kind, before, limit }) =>
      runner.ask(async (db) => {
        const wanted = [
          ...(subject === undefined ? [] : [sql`subject = ${subject}`]),
          ...(kind === undefined ? [] : [sql`kind = ${kind}`]),
          ...(before === undefined ? [] : [sql`id < ${before}`]),
        ];
        const where = wanted.length === 0 ? sql`` : sql`where ${sql.join(wanted, sql` and `)}`;
        const { rows } = await sql`select ${COLUMNS} from ${audit} ${where} order by id desc limit ${limit}`.execute(
          db,
        );
        return (rows as Row[]).map(entryOf);
      }),
    activity: (since, span) =>
      runner.ask(async (db) => {
        const { rows } = await sql`select at - at % ${span} as start,
          sum(case when kind = 'login' and outcome = 'ok' then 1 else 0 end) as logins,
          sum(case when outcome <> 'ok' then 1 else 0 end) as refusals
          from ${audit} where id >= ${since} group by 1 order by 1`.execute(db);
        return (rows as Row[]).map(({ start, logins, refusals }) => ({
          at: Number(start),
          logins: Number(logins),
          refusals: Number(refusals),
        }));
      }),
    purge: (until) =>
      runner.ask(async (db) => {
        await sql`delete from ${audit} where id < ${until}`.execute(db);
      }),
  };
}

function entryOf(row: Row): AuditEntry {
  const text = (value: unknown): string | null => (value === null ? null : String(value));
  return {
    id: String(row.id),
    at: Number(row.at),
    kind: String(row.kind) as AuditKind,
    outcome: String(row.outcome),
    subject: text(row.subject),
    actor: text(row.actor),
    session: text(row.session),
    address: text(row.address),
    userAgent: text(row.user_agent),
    detail: text(row.detail),
  };
}
