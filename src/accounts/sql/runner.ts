import { setTimeout as pause } from "node:timers/promises";
import type { RawBuilder } from "kysely";
import { type Database, type Engine, type Row, readBy, readSoon } from "../../stores/sql/engine.ts";
import { alone, transaction } from "../../stores/sql/migrations.ts";
import { compile, type Values } from "../../stores/sql/statement.ts";

/** Runs statements, again where that helps. Whatever runs may run twice, also after it was committed. */
export interface AccountRunner {
  /** A statement that reads, compiled once: gives its first row. */
  reading(statement: RawBuilder<unknown>): (values: Values) => Promise<Row | undefined>;
  /** One that writes. */
  writing(statement: RawBuilder<unknown>): (values: Values) => Promise<void>;
  /** One statement by itself. */
  ask<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /** A short transaction. */
  change<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /** The same by one process at a time. */
  changeAlone<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /** Makes the tables and looks at the server now, instead of at the first call. */
  start(): Promise<void>;
}

/** @param prepare makes or checks the tables, before the first call; where it fails, before the next one again */
export function accountRunner(db: Database, engine: Engine, prepare: () => Promise<void>): AccountRunner {
  let ready: Promise<void> | undefined;
  const begin = async (): Promise<void> => {
    await engine.prepare(db);
    await prepare();
  };
  async function call<T>(work: () => Promise<T>): Promise<T> {
    const since = performance.now();
    for (let attempt = 0; ; attempt++) {
      ready ??= begin();
      const starting = ready;
      let isStarted = false;
      try {
        await starting;
        isStarted = true;
        engine.check?.();
        return await work();
      } catch (error) {
        if (!isStarted && ready === starting) ready = undefined;
        const wait = engine.retryAfter(error, attempt, performance.now() - since);
        if (wait === undefined) throw error;
        await pause(wait);
      }
    }
  }
  return {
    reading(built) {
      const statement = compile(built, db);
      return (values) => call(() => readSoon(engine, statement, values));
    },
    writing(built) {
      const statement = compile(built, db);
      const write = engine.write ?? ((...what) => readBy(db, ...what));
      return (values) => call(async () => void (await write(statement, values)));
    },
    ask: (work) => call(() => work(db)),
    change: (work) => call(() => transaction(db, engine, work)),
    changeAlone: (work) => call(() => alone(db, engine, work)),
    start: () => call(async () => {}),
  };
}
