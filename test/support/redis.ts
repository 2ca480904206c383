import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import type { RedisClient } from "jwt-extended/redis";
import { createClient } from "redis";

const PROGRAM = process.env.REDIS_SERVER ?? "redis-server";

/** Whether a Redis server can be started: `REDIS_SERVER`, or the one in `PATH`. */
export const hasRedis: boolean = spawnSync(PROGRAM, ["--version"]).status === 0;

/** A server of its own on the loopback address. */
export interface RedisServer {
  readonly port: number;
  /** Ends the process; `SIGKILL` is a crash. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again where it was, with the files it left. */
  start(): Promise<void>;
  /** Stops and continues the process without ending it. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Sends one command and gives the first line of the answer. */
  command(...args: string[]): Promise<string>;
  /** Waits until a replica holds all that this server holds. */
  replicated(): Promise<void>;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

/** A port of the loopback address that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Starts a server that keeps nothing on disk, unless `args` say so. */
export const startRedis = (...args: string[]): Promise<RedisServer> => startData(PROGRAM, args);

/** The server program of Valkey, where there is one. */
export const VALKEY: string | undefined = process.env.VALKEY_SERVER;

/** The same as `startRedis`, of another program. */
export const startData = (program: string, args: readonly string[] = []): Promise<RedisServer> =>
  startServer(program, (folder, port) => {
    const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
    return [...own, ...args];
  });

/** Starts a Sentinel that watches a primary, with one other. */
export const startSentinel = (primary: number): Promise<RedisServer> =>
  startServer(PROGRAM, (folder, port) => {
    const file = join(folder, "sentinel.conf");
    const lines = [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${primary} 2`,
      "sentinel down-after-milliseconds main 1000",
      "sentinel failover-timeout main 3000",
    ];
    writeFileSync(file, lines.join("\n"));
    return [file, "--sentinel"];
  });

/** Starts a server with a folder and a port of its own. */
async function startServer(
  program: string,
  argsOf: (folder: string, port: number) => readonly string[],
): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "redis-"));
  let child: ChildProcess | undefined;
  const kill = (): void => {
    child?.kill("SIGKILL");
  };
  process.once("exit", kill);
  const server: RedisServer = {
    port,
    async start() {
      child = spawn(program, argsOf(folder, port), { stdio: "ignore" });
      for (let tries = 0; tries < 200; tries++) {
        if ((await server.command("PING").catch(() => "")) === "+PONG") return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error(`${program} did not start`);
    },
    async stop(signal = "SIGTERM") {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill(signal);
      child.kill("SIGCONT");
      await gone;
    },
    signal(signal) {
      child?.kill(signal);
    },
    command: (...words) => ask(port, words),
    async replicated() {
      // WAIT asks for what its own connection wrote, so something is written; in a cluster some of it to this server.
      const writes = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((tag) => [
        ["SET", `{p0${tag}}:probe`, ""],
        ["DEL", `{p0${tag}}:probe`],
      ]);
      while (!(await ask(port, ...writes, ["WAIT", "1", "1000"])).endsWith(":1")) {
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    async close() {
      await server.stop("SIGKILL");
      process.off("exit", kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Commands over a connection of their own; the first lines of the answers, each a line. */
async function ask(port: number, ...commands: readonly (readonly string[])[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    const lines: string[] = [];
    for (const words of commands) {
      socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      lines.push(answer.toString().split("\r\n")[0] as string);
    }
    return lines.join("\n");
  } finally {
    socket.destroy();
  }
}

/** A client of one of the libraries, and how it is closed. */
export interface OpenClient {
  readonly client: RedisClient;
  close(): void;
}

const nothing = (): void => {};

/** Connects with each library that the store can speak through. */
export const CLIENTS: Readonly<Record<string, (port: number) => Promise<OpenClient>>> = {
  async redis(port) {
    const client = createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: 50 } });
    client.on("error", nothing);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  async ioredis(port) {
    const client = new Redis(port, "127.0.0.1", { retryStrategy: () => 50 });
    client.on("error", nothing);
    return { client, close: () => client.disconnect() };
  },
  async iovalkey(port) {
    const client = new Valkey(port, "127.0.0.1", { retryStrategy: () => 50 });
    client.on("error", nothing);
    return { client, close: () => client.disconnect() };
  },
};
