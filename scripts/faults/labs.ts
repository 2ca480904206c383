import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasMysql, startMysql } from "./mysql-server.ts";
import type { Place, StoreName } from "./places.ts";
import { postgresFolder, startPostgres } from "./postgres-server.ts";
import { hasRedis, startRedis } from "./redis-server.ts";
import type { Server } from "./servers.ts";

/** A place of its own for the experiments on one store. */
export interface Lab {
  readonly place: Place;
  readonly server?: Server;
  close(): Promise<void>;
}

/** Why a store cannot be tried on this machine; `undefined` where it can. */
export function missing(name: StoreName): string | undefined {
  if (name === "postgres" && postgresFolder() === undefined) return "PostgreSQL is not installed";
  if (name === "mysql" && !hasMysql()) return "MariaDB is not installed";
  if (name === "redis" && !hasRedis()) return "redis-server is not installed";
  return undefined;
}

/** Starts what a store needs. */
export async function openLab(name: StoreName): Promise<Lab> {
  if (name === "memory") return { place: { kind: "memory" }, close: async () => {} };
  if (name === "sqlite") {
    const folder = mkdtempSync(join(tmpdir(), "jx-faults-sqlite-"));
    const close = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
    return { place: { kind: "sqlite", file: join(folder, "sessions.db") }, close };
  }
  const server = await { postgres: startPostgres, mysql: startMysql, redis: startRedis }[name]();
  return { place: { kind: name, port: server.port }, server, close: () => server.close() };
}
