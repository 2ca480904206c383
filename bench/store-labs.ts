import { Redis } from "ioredis";
import Database from "libsql";
import { Pool } from "pg";
import { type Lab, missing, openLab } from "../scripts/faults/labs.ts";
import type { StoreName } from "../scripts/faults/places.ts";
import { postgresUser } from "../scripts/faults/postgres-server.ts";
import type { TokenStore } from "../src/stores/contract.ts";

/** The built package; its types are those of the source. */
const built = <Module>(path: string): Promise<Module> => import(new URL(`../dist/${path}`, import.meta.url).href);
const { memoryStore } = await built<typeof import("../src/stores/memory.ts")>("stores/memory.js");
const { sqliteStore } = await built<typeof import("../src/stores/sqlite.ts")>("stores/sqlite.js");
const { postgresStore } = await built<typeof import("../src/stores/postgres.ts")>("stores/postgres.js");
const { redisStore } = await built<typeof import("../src/stores/redis.ts")>("stores/redis.js");

/** A store to measure, and the simplest thing its driver can write and read with the same promise of durability. */
export interface MeasuredStore {
  readonly name: StoreName;
  readonly store: TokenStore;
  /** Writes one number under one of 32 names. */
  write(name: number): unknown;
  /** Reads it. */
  read(name: number): unknown;
  close(): Promise<void>;
}

const NAMES = 32;

/** Opens every store whose server is installed, and says which is not. */
export async function openStores(): Promise<readonly MeasuredStore[]> {
  const opened: MeasuredStore[] = [];
  for (const name of ["memory", "sqlite", "postgres", "redis"] as const) {
    const why = missing(name);
    if (why === undefined) opened.push(await openOne(await openLab(name)));
    else console.log(`skipped: ${why}`);
  }
  return opened;
}

async function openOne({ place, close }: Lab): Promise<MeasuredStore> {
  let count = 0;
  if (place.kind === "memory") {
    const held = new Map<number, number>();
    const write = (name: number): unknown => held.set(name, count++);
    return { name: place.kind, store: memoryStore(), write, read: (name) => held.get(name), close };
  }
  if (place.kind === "sqlite") {
    const store = sqliteStore({ database: new Database(place.file) });
    await store.migrate();
    const own = new Database(place.file);
    own.exec(
      "pragma journal_mode = wal; pragma synchronous = full; create table k (id integer primary key, n integer)",
    );
    const statement = own.prepare("insert into k values (?, ?) on conflict (id) do update set n = excluded.n");
    const select = own.prepare("select n from k where id = ?");
    const write = (name: number): unknown => statement.run(name, count++);
    return { name: place.kind, store, write, read: (name) => select.get(name), close };
  }
  if (place.kind === "postgres") {
    const pool = new Pool({ ...postgresUser, host: "127.0.0.1", port: place.port, max: 10 });
    const store = postgresStore({ pool });
    await store.migrate();
    await pool.query("create table k (id integer primary key, n integer)");
    for (let each = 0; each < NAMES; each++) await pool.query("insert into k values ($1, 0)", [each]);
    const write = (name: number) => pool.query("update k set n = $2 where id = $1", [name, count++]);
    const read = (name: number) => pool.query("select n from k where id = $1", [name]);
    return { name: place.kind, store, write, read, close: () => pool.end().then(close) };
  }
  const client = new Redis({ host: "127.0.0.1", port: place.port });
  const store = redisStore({ client, warn: () => {} });
  const write = (name: number): unknown => client.set(`k${name}`, count++);
  const closeBoth = (): Promise<void> => client.quit().then(close);
  return { name: place.kind, store, write, read: (name) => client.get(`k${name}`), close: closeBoth };
}
