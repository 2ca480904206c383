import {
  type MakeLimiter,
  memoryLimits,
  mysqlAccounts,
  postgresAccounts,
  redisLimits,
  sqliteAccounts,
} from "jwt-extended/accounts";
import Database from "libsql";
import { hasMysql, openMysql } from "../support/mysql.ts";
import { POSTGRES, startPostgres } from "../support/postgres.ts";
import { CLIENTS, hasRedis, startRedis } from "../support/redis.ts";

/** A place in which attempts are counted. `again` gives what another process would have. */
export interface Place {
  readonly make: MakeLimiter;
  readonly again: MakeLimiter;
  close(): Promise<void>;
}

/** Every place, and whether it can be had on this machine. */
export const PLACES: readonly (readonly [name: string, isHere: boolean, open: () => Promise<Place>])[] = [
  ["memory", true, async () => ({ make: memoryLimits, again: memoryLimits, close: async () => {} })],
  [
    "SQLite",
    true,
    async () => {
      const { mkdtempSync, rmSync } = await import("node:fs");
      const { join } = await import("node:path");
      const { tmpdir } = await import("node:os");
      const folder = mkdtempSync(join(tmpdir(), "limits-"));
      const open = () => new Database(join(folder, "accounts.db"));
      const [one, other] = [open(), open()];
      const close = async (): Promise<void> => {
        one.close();
        other.close();
        rmSync(folder, { recursive: true });
      };
      return {
        make: sqliteAccounts({ database: one }).limits,
        again: sqliteAccounts({ database: other }).limits,
        close,
      };
    },
  ],
  [
    "PostgreSQL",
    POSTGRES !== undefined,
    async () => {
      const server = await startPostgres();
      const [make, again] = [server.pool({}, 1), server.pool({}, 5)].map((pool) => postgresAccounts({ pool }).limits);
      return { make: make as MakeLimiter, again: again as MakeLimiter, close: () => server.close() };
    },
  ],
  [
    "MariaDB",
    hasMysql(),
    async () => {
      const server = await openMysql();
      const [make, again] = [1, 5].map(
        (connectionLimit) => mysqlAccounts({ pool: server.pool({}, { connectionLimit }) }).limits,
      );
      return { make: make as MakeLimiter, again: again as MakeLimiter, close: () => server.close() };
    },
  ],
  ...Object.entries(CLIENTS).map(
    ([name, connect]) =>
      [
        `Redis by ${name}`,
        hasRedis,
        async (): Promise<Place> => {
          const server = await startRedis();
          const clients = await Promise.all([connect(server.port), connect(server.port)]);
          const [make, again] = clients.map(({ client }) => redisLimits(client));
          const close = async (): Promise<void> => {
            for (const client of clients) client.close();
            await server.close();
          };
          return { make: make as MakeLimiter, again: again as MakeLimiter, close };
        },
      ] as const,
  ),
];
