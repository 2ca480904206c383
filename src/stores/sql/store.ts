import type { RevocationFeed, StoreNotice, TokenStore } from "../contract.ts";
import type { Database, Engine } from "./engine.ts";
import { feedOf } from "./feed.ts";
import { lineageOf } from "./generation.ts";
import { tablesOf } from "./names.ts";
import type { Parts } from "./parts.ts";
import { purge, purgeSome } from "./purge.ts";
import { isRevoked, raiseLimits, revoke, secret } from "./revocations.ts";
import { rotate } from "./rotate.ts";
import { runnerOf } from "./runner.ts";
import { list, open, read, touch } from "./sessions.ts";
import { spend } from "./spending.ts";
import { compile, type Statement } from "./statement.ts";

/** Settings of every SQL store. */
export interface SqlStoreOptions {
  /** Put in front of the names of the tables. @default "jx_" */
  readonly tablePrefix?: string | undefined;
  /** Makes and updates the tables at first use. With `false` call `migrate()` when deploying. @default true */
  readonly migrate?: boolean | undefined;
}

/** A store in an SQL database. */
export interface SqlStore extends TokenStore {
  readonly feed: RevocationFeed;
  /** Makes or updates the tables and looks at the server. Any number of processes may do so at once. */
  migrate(): Promise<void>;
}

const PURGE_EVERY = 60_000;

/** The store over one database; nothing is asked of it before the first call. */
export function sqlStore(
  connect: (prefix: string) => { db: Database; engine: Engine },
  { tablePrefix = "jx_", migrate = true }: SqlStoreOptions,
): SqlStore {
  const tables = tablesOf(tablePrefix);
  const { db, engine } = connect(tables.prefix);
  const listeners = new Set<(notice: StoreNotice) => void>();
  const lineage = lineageOf(db, engine, tables, () => {
    for (const notify of listeners) notify("storeForgot");
  });
  const statements = new Map<unknown, Statement>();
  const parts: Parts = {
    engine,
    tables,
    lineage,
    runner: runnerOf(db, engine, tables, lineage, migrate),
    compiled(make) {
      const statement = statements.get(make) ?? compile(make(parts), db);
      statements.set(make, statement);
      return statement;
    },
  };
  let purgeAt: number | undefined;
  const afterWrite = async (now: number): Promise<void> => {
    const isDue = purgeAt !== undefined && now >= purgeAt;
    if (isDue || purgeAt === undefined) purgeAt = now + PURGE_EVERY;
    // A backlog goes on with the next write.
    if (isDue && (await purgeSome(parts))) purgeAt = now;
  };
  return {
    async open(session) {
      const row = await open(parts, session);
      await afterWrite(row.lastUsedAt);
      return row;
    },
    rotate: (presented) => rotate(parts, presented),
    read: (sid) => read(parts, sid),
    list: (subject) => list(parts, subject),
    touch: (sid) => touch(parts, sid),
    isRevoked: (query) => isRevoked(parts, query),
    async revoke(revocation) {
      await afterWrite(await revoke(parts, revocation));
    },
    async spend(name, until) {
      const { isOurs, now } = await spend(parts, name, until);
      await afterWrite(now);
      return isOurs;
    },
    feed: feedOf(parts),
    raiseLimits: (limits) => raiseLimits(parts, limits),
    secret: () => secret(parts),
    purge: () => purge(parts),
    listen(notify) {
      listeners.add(notify);
    },
    migrate: () => parts.runner.migrate(),
  };
}
