import { type Lab, missing, openLab } from "../scripts/faults/labs.ts";
import { mysqlUser } from "../scripts/faults/mysql-server.ts";
import type { StoreName } from "../scripts/faults/places.ts";
import { postgresUser } from "../scripts/faults/postgres-server.ts";
import type { TokenStore } from "../src/stores/contract.ts";
import { memoryStore } from "../src/stores/memory.ts";

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

export const STORES: readonly StoreName[] = ["memory", "sqlite", "postgres", "mysql", "redis"];

/** Opens a store and runs `measure` over it; says so, and measures nothing, where its server is not installed. */
export async function overStore<T>(name: StoreName, measure: (store: MeasuredStore) => Promise<T[]>): Promise<T[]> {
  const why = missing(name);
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    return [];
  }
  const store = await openOne(await openLab(name));
  try {
    return await measure(store);
  } finally {
    await store.close();
  }
}

// Drivers are loaded where they are measured: one of them slows down all others of its process.
async function openOne({ place, close }: Lab): Promise<MeasuredStore> {
  let count = 0;
  if (place.kind === "memory") {
    const held = new Map<number, number>();
    const write = (name: number): unknown => held.set(name, count++);
    return { name: place.kind, store: memoryStore(), write, read: (name) => held.get(name), close };
  }
  if (place.kind === "sqlite") {
    const [{ default: Database }, { sqliteStore }] = [await import("libsql"), await import("../src/stores/sqlite.ts")];
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
    const [{ Pool }, { postgresStore }] = [await import("pg"), await import("../src/stores/postgres.ts")];
    const pool = new Pool({ ...postgresUser, host: "127.0.0.1", port: place.port, max: 10 });
    const store = postgresStore({ pool });
    await store.migrate();
    await pool.query("create table k (id integer primary key, n integer)");
    for (let each = 0; each < NAMES; each++) await pool.query("insert into k values ($1, 0)", [each]);
    const write = (name: number) => pool.query("update k set n = $2 where id = $1", [name, count++]);
    const read = (name: number) => pool.query("select n from k where id = $1", [name]);
    return { name: place.kind, store, write, read, close: () => pool.end().then(close) };
  }
  if (place.kind === "mysql") {
    const [{ createPool }, { mysqlStore }] = [await import("mysql2/promise"), await import("../src/stores/mysql.ts")];
    const pool = createPool({ ...mysqlUser, port: place.port });
    const store = mysqlStore({ pool });
    await store.migrate();
    await pool.query("create table k (id integer primary key, n integer)");
    for (let each = 0; each < NAMES; each++) await pool.query("insert into k values (?, 0)", [each]);
    const write = (name: number) => pool.query("update k set n = ? where id = ?", [count++, name]);
    const read = (name: number) => pool.query("select n from k where id = ?", [name]);
    return { name: place.kind, store, write, read, close: () => pool.end().then(close) };
  }
  const [{ Redis }, { redisStore }] = [await import("ioredis"), await import("../src/stores/redis.ts")];
  const client = new Redis({ host: "127.0.0.1", port: place.port });
  const store = redisStore({ client, warn: () => {} });
  const write = (name: number): unknown => client.set(`k${name}`, count++);
  const closeBoth = (): Promise<void> => client.quit().then(close);
  return { name: place.kind, store, write, read: (name) => client.get(`k${name}`), close: closeBoth };
}
