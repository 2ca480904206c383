import { setTimeout as pause } from "node:timers/promises";
import type { Database, Engine } from "./engine.ts";
import { Forgotten, type Lineage, type Seen } from "./generation.ts";
import { checkVersion, migrate, transaction } from "./migrations.ts";
import type { Tables } from "./names.ts";

/** One attempt at a call. */
export interface Attempt {
  readonly db: Database;
  /** The store as it was known before the attempt. */
  readonly known: Seen | undefined;
  /** Whether an earlier attempt failed, perhaps after it had been committed. */
  readonly isRetry: boolean;
}

/** Runs calls, again where that helps. */
export interface Runner {
  /** One statement that writes nothing. */
  ask<T>(work: (attempt: Attempt) => Promise<T>): Promise<T>;
  /** A short transaction of its own; `work` may run more than once. */
  change<T>(work: (attempt: Attempt) => Promise<T>): Promise<T>;
  /** Makes the tables and looks at the server now, instead of at the first call. */
  migrate(): Promise<void>;
}

/** How often one call begins again because the tables were emptied or dropped under it. */
const MENDED = 2;

export function runnerOf(db: Database, engine: Engine, tables: Tables, lineage: Lineage, mayMigrate: boolean): Runner {
  let ready: Promise<void> | undefined;
  async function start(migrates: boolean): Promise<void> {
    await engine.prepare(db);
    await (migrates ? migrate : checkVersion)(db, engine, tables);
    await lineage.mend();
  }

  async function call<T>(
    work: (known: Seen | undefined, isRetry: boolean) => Promise<T>,
    migrates = mayMigrate,
  ): Promise<T> {
    const since = performance.now();
    let mended = 0;
    for (let attempt = 0; ; attempt++) {
      ready ??= start(migrates);
      const started = ready;
      try {
        await started;
        engine.check?.();
        return await work(lineage.known(), attempt > 0);
      } catch (error) {
        const lost = error instanceof Forgotten || engine.isMissingTable(error);
        const wait = lost ? 0 : engine.retryAfter(error, attempt - mended, performance.now() - since);
        // What failed at the start is looked at again by the next call, if not by this one.
        if (lost || (await hasFailed(started))) ready = ready === started ? undefined : ready;
        if (wait === undefined || (lost && ++mended > MENDED)) throw error;
        if (wait > 0) await pause(wait);
      }
    }
  }

  return {
    ask: (work) => call((known, isRetry) => work({ db, known, isRetry })),
    change: (work) => call((known, isRetry) => transaction(db, engine, (own) => work({ db: own, known, isRetry }))),
    async migrate() {
      ready = undefined;
      await call(async () => {}, true);
    },
  };
}

const hasFailed = (started: Promise<void>): Promise<boolean> =>
  started.then(
    () => false,
    () => true,
  );
