import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasMysql, openMysql } from "../support/mysql.ts";
import { POSTGRES, startPostgres } from "../support/postgres.ts";
import { hasRedis, startRedis } from "../support/redis.ts";

/** What an example needs beside itself. */
export interface Needs {
  readonly what: string;
  readonly present: boolean;
  /** Starts it, and tells the example by its environment where it is. */
  start(): Promise<{ readonly env: Readonly<Record<string, string>>; close(): unknown }>;
}

/** The examples that need something to keep their logins in. */
export const SERVERS: Readonly<Record<string, Needs>> = {
  "store-redis.ts": {
    what: "redis-server",
    present: hasRedis,
    async start() {
      const server = await startRedis("--appendonly", "yes", "--maxmemory-policy", "noeviction");
      return { env: { REDIS_URL: `redis://127.0.0.1:${server.port}` }, close: () => server.close() };
    },
  },
  "store-postgres.ts": {
    what: "PostgreSQL (set PG_BIN)",
    present: POSTGRES !== undefined,
    async start() {
      const server = await startPostgres();
      return { env: { DATABASE_URL: server.url }, close: () => server.close() };
    },
  },
  "store-mysql.ts": {
    what: "mariadbd",
    present: hasMysql(),
    async start() {
      const server = await openMysql();
      return { env: { DATABASE_URL: server.url }, close: () => server.close() };
    },
  },
  "store-sqlite.ts": {
    what: "a file",
    present: true,
    async start() {
      const folder = mkdtempSync(join(tmpdir(), "jx-example-"));
      const close = () => rmSync(folder, { recursive: true, force: true });
      return { env: { DATABASE_URL: join(folder, "sessions.db") }, close };
    },
  },
};
