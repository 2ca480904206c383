import { Cluster, Redis } from "ioredis";
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
  /** `strict`: without the flag by which rows that were found count as changed. */
  | { readonly kind: "mysql"; readonly port: number; readonly strict?: boolean }
  | { readonly kind: "redis"; readonly port: number; readonly replicas?: number }
  /** The port is that of one node. */
  | { readonly kind: "cluster"; readonly port: number; readonly replicas?: number }
  /** The port is that of one sentinel. */
  | { readonly kind: "sentinel"; readonly port: number; readonly replicas?: number };

/** The stores that are tried; one of them twice. */
export type StoreName = Place["kind"] | "mysql-strict";

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
    const pool = createPool({
      ...mysqlUser,
      port: place.port,
      connectTimeout: 1_000,
      flags: place.strict ? ["-FOUND_ROWS"] : [],
    });
    return { store: mysqlStore({ pool }), close: () => pool.end() };
  }
  const connect = (): Redis | Cluster => connectRedis(place).on("error", () => {});
  const { replicas = 0 } = place;
  const client = connect();
  const durableClient = replicas > 0 ? connect() : undefined;
  const close = async (): Promise<void> => {
    for (const each of [client, durableClient]) each?.disconnect();
  };
  return {
    store: redisStore({ client, durableClient, replicas, ...(place.kind === "cluster" ? { partitions: 8 } : {}) }),
    close,
  };
}

function connectRedis({ kind, port }: Place & { readonly port: number }): Redis | Cluster {
  const address = { host: "127.0.0.1", port };
  const again = (): number => 50;
  if (kind === "cluster")
    return new Cluster([address], { clusterRetryStrategy: again, redisOptions: { connectTimeout: 1_000 } });
  if (kind === "sentinel")
    return new Redis({ sentinels: [address], name: "main", retryStrategy: again, sentinelRetryStrategy: again });
  return new Redis({ ...address, retryStrategy: again });
}
