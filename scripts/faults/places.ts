import { Redis } from "ioredis";
import Database from "libsql";
import { createPool } from "mysql2/promise";
import { Pool } from "pg";
import { memoryStore, type TokenStore } from "../../src/index.ts";
import { mysqlStore } from "../../src/stores/mysql.ts";
import { postgresStore } from "../../src/stores/postgres.ts";
import { redisStore } from "../../src/stores/redis.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import { mysqlUser } from "./mysql-server.ts";
import { postgresUser } from "./postgres-server.ts";

/** Where a store is, in words that can be sent to another process. */
export type Place =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly file: string }
  | { readonly kind: "postgres"; readonly port: number }
  | { readonly kind: "mysql"; readonly port: number }
  | { readonly kind: "redis"; readonly port: number; readonly replicas?: number };

export type StoreName = Place["kind"];

/** A store of this process, and how to let go of it. */
export interface Opened {
  readonly store: TokenStore;
  close(): Promise<void>;
}

/** Opens the store of a place. Each call is a connection, or a pool of them, of its own. */
export function openStore(place: Place): Opened {
  if (place.kind === "memory") return { store: memoryStore(), close: async () => {} };
  if (place.kind === "sqlite") {
    const database = new Database(place.file);
    return {
      store: sqliteStore({ database }),
      close: async () => {
        database.close();
      },
    };
  }
  if (place.kind === "postgres") {
    const options = { ...postgresUser, host: "127.0.0.1", port: place.port, max: 10, connectionTimeoutMillis: 1_000 };
    const pool = new Pool(options);
    return { store: postgresStore({ pool }), close: () => pool.end() };
  }
  if (place.kind === "mysql") {
    const pool = createPool({ ...mysqlUser, port: place.port, connectTimeout: 1_000 });
    return { store: mysqlStore({ pool }), close: () => pool.end() };
  }
  const connect = (): Redis => {
    const client = new Redis({ host: "127.0.0.1", port: place.port, retryStrategy: () => 50 });
    return client.on("error", () => {});
  };
  const { replicas = 0 } = place;
  const client = connect();
  const durableClient = replicas > 0 ? connect() : undefined;
  const close = async (): Promise<void> => {
    for (const each of [client, durableClient]) each?.disconnect();
  };
  return { store: redisStore({ client, durableClient, replicas }), close };
}
