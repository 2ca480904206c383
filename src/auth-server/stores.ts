import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { redisLimits } from "../accounts/limit-stores.ts";
import type { MakeLimiter } from "../accounts/limits.ts";
import { type AccountTables, mysqlAccounts, postgresAccounts, sqliteAccounts } from "../accounts/sql/open.ts";
import { ConfigError } from "../errors.ts";
import type { TokenStore } from "../stores/contract.ts";
import { mysqlStore } from "../stores/mysql.ts";
import { postgresStore } from "../stores/postgres.ts";
import { redisStore } from "../stores/redis.ts";
import type { SqlStore } from "../stores/sql/store.ts";
import { sqliteStore } from "../stores/sqlite.ts";
import type { DatabasePlace } from "./database-place.ts";
import { CannotStart, codeOf } from "./faults.ts";
import type { Settings } from "./settings.ts";

/** Everything that is remembered, opened. */
export interface Stores {
  readonly tables: AccountTables;
  /** Sessions and revocations; with Redis there are no tables of them. */
  readonly store: TokenStore & Partial<Pick<SqlStore, "migrate">>;
  /** Where attempts are counted, unless that is where the users are. */
  readonly limits: MakeLimiter | undefined;
  close(): Promise<void>;
}

/** How stores are opened. */
export interface OpenOptions {
  /** Makes and updates the tables now. With `false` tables that are missing or older make every call fail. */
  readonly migrate: boolean;
  /** Hears of lost connections, which mend themselves. */
  readonly tell: (message: string) => void;
}

/** How long a server may take to accept a connection, in milliseconds. */
const CONNECT_TIMEOUT = 2_000;

type Opened = Stores & { readonly store: SqlStore };

/**
 * Opens the database, and Redis where it is named. Nothing stays open where one of them fails.
 * @throws CannotStart with what mends it
 */
export async function openStores(
  { database, redisUrl }: Pick<Settings, "database" | "redisUrl">,
  options: OpenOptions,
): Promise<Stores> {
  const kept = await openDatabase(database, options);
  if (redisUrl === undefined) {
    await prepared(kept, [kept.tables, kept.store], database, options);
    return kept;
  }
  await prepared(kept, [kept.tables], database, options);
  try {
    return await withRedis(kept, redisUrl, options);
  } catch (error) {
    await kept.close();
    throw error;
  }
}

/** Makes tables where that is wanted; looks at the server in any case, so that faults show now. */
async function prepared(
  { tables, close }: Opened,
  parts: readonly { migrate(): Promise<void> }[],
  place: DatabasePlace,
  { migrate }: OpenOptions,
): Promise<void> {
  try {
    if (migrate) for (const part of parts) await part.migrate();
    else await tables.isHeld("admin");
  } catch (error) {
    await close();
    throw unusable(place, error);
  }
}

async function openDatabase(place: DatabasePlace, { migrate, tell }: OpenOptions): Promise<Opened> {
  if (place.kind === "postgres") {
    const { Pool } = (await driver("pg", () => import("pg"))).default;
    const pool = new Pool({ connectionString: place.url, connectionTimeoutMillis: CONNECT_TIMEOUT });
    pool.on("error", (error) => tell(`a connection to PostgreSQL was lost (${codeOf(error)})`));
    const kept = { tables: postgresAccounts({ pool, migrate }), store: postgresStore({ pool, migrate }) };
    return { ...kept, limits: undefined, close: () => pool.end() };
  }
  if (place.kind === "mysql") {
    const { createPool } = await driver("mysql2", () => import("mysql2/promise"));
    const pool = createPool({ uri: place.url, connectTimeout: CONNECT_TIMEOUT });
    const kept = { tables: mysqlAccounts({ pool, migrate }), store: mysqlStore({ pool, migrate }) };
    return { ...kept, limits: undefined, close: () => pool.end() };
  }
  const Database = (await driver("libsql", () => import("libsql"))).default;
  try {
    mkdirSync(dirname(place.file), { recursive: true });
    // Each has a connection of its own: what one does in a transaction must never decide about the other.
    const [accounts, sessions] = [new Database(place.file), new Database(place.file)];
    const tables = sqliteAccounts({ database: accounts, migrate });
    const store = sqliteStore({ database: sessions, migrate });
    const close = async (): Promise<void> => {
      accounts.close();
      sessions.close();
    };
    return { tables, store, limits: undefined, close };
  } catch (error) {
    throw unusable(place, error);
  }
}

/** Sessions and counts in Redis, users in the database. */
async function withRedis(kept: Opened, url: string, { tell }: OpenOptions): Promise<Stores> {
  const { Redis } = await driver("ioredis", () => import("ioredis"));
  const client = new Redis(url, { lazyConnect: true, connectTimeout: CONNECT_TIMEOUT });
  let fault: unknown;
  let isOpen = false;
  client.on("error", (error) => {
    fault = error;
    if (isOpen) tell(`Redis: ${codeOf(error)}`);
  });
  try {
    const store = redisStore({ client, warn: tell });
    await client.connect();
    await store.ready();
    isOpen = true;
    const close = async (): Promise<void> => {
      client.disconnect();
      await kept.close();
    };
    return { tables: kept.tables, store, limits: redisLimits(client), close };
  } catch (error) {
    client.disconnect();
    // That the client gave up says less than what it met.
    const why = reason(error instanceof ConfigError ? error : (fault ?? error));
    throw new CannotStart([`The Redis of REDIS_URL cannot be used (${why}): start it, or mend the address.`]);
  }
}

/** Drivers are the operator's choice, and need not be installed. */
async function driver<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (codeOf(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new CannotStart([`The package ${name} is missing: npm install ${name}`]);
  }
}

/** What may be told of an error: messages of drivers can hold an address with its password. */
function reason(error: unknown): string {
  if (error instanceof ConfigError) return error.faults.join(" ");
  return error instanceof Error && error.message.startsWith("the tables of") ? error.message : codeOf(error);
}

function unusable(place: DatabasePlace, error: unknown): CannotStart {
  const why = reason(error);
  return new CannotStart([
    place.kind === "sqlite"
      ? `The database ${place.file} cannot be opened (${why}): mend it, or name another with DATABASE_FILE.`
      : `The database of DATABASE_URL cannot be used (${why}): start it, or mend the address.`,
  ]);
}
