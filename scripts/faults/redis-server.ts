import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { end, freePort, start } from "./processes.ts";
import { until } from "./report.ts";
import type { Server } from "./servers.ts";

/** A Redis server of our own. */
export interface RedisServer extends Server {
  /** Sends one command over a connection of its own. */
  command(...words: readonly string[]): Promise<unknown>;
}

/** Whether there is a server to start. */
export const hasRedis = (): boolean => spawnSync("redis-server", ["--version"]).status === 0;

/** Starts Redis on loopback, writing every command to disk before it answers. */
export async function startRedis(...more: readonly string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "jx-faults-redis-"));
  const port = await freePort();
  const words = `--port ${port} --bind 127.0.0.1 --appendonly yes --appendfsync always --maxmemory-policy noeviction`;
  const args = [...words.split(" "), "--save", "", "--dir", folder, ...more];
  let child: ChildProcess;
  async function command(...[name, ...rest]: readonly string[]): Promise<unknown> {
    const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: () => null });
    client.on("error", () => {});
    try {
      await client.connect();
      return await client.call(name as string, ...rest);
    } finally {
      client.disconnect();
    }
  }
  const server: RedisServer = {
    port,
    command,
    async start() {
      child = start("redis-server", args);
      const up = async (): Promise<boolean> => (await command("PING").catch(() => "")) === "PONG";
      await until("redis-server", up, 15_000, 5);
    },
    kill: () => end(child, "SIGKILL"),
    hang: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async readOnly(on) {
      await command("CONFIG", "SET", "min-replicas-to-write", on ? "1" : "0");
    },
    async empty() {
      await command("FLUSHALL");
    },
    async close() {
      child.kill("SIGCONT");
      await end(child, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}
