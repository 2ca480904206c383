import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasMysql, startMysql } from "./mysql-server.ts";
import type { Place, StoreName } from "./places.ts";
import { postgresFolder, startPostgres } from "./postgres-server.ts";
import { startCluster } from "./redis-groups.ts";
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
  if (name.startsWith("mysql") && !hasMysql()) return "MariaDB is not installed";
  if (["redis", "cluster", "sentinel"].includes(name) && !hasRedis()) return "redis-server is not installed";
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
  // Each round of its one experiment starts its own.
  if (name === "sentinel") return { place: { kind: name, port: 0 }, close: async () => {} };
  if (name === "mysql-strict") {
    // A transaction that read what another one has changed since is refused, instead of going on with two pictures.
    const server = await startMysql("--innodb-snapshot-isolation=ON");
    return { place: { kind: "mysql", port: server.port, strict: true }, server, close: () => server.close() };
  }
  const server = await { cluster: () => startCluster(), postgres: startPostgres, mysql: startMysql, redis: startRedis }[
    name
  ]();
  return { place: { kind: name, port: server.port }, server, close: () => server.close() };
}
