import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import pg from "pg";

/** The folder of an installed PostgreSQL: `PG_BIN`, the newest below `/usr/lib/postgresql`, or one in `PATH`. */
export const POSTGRES: string | undefined = findPostgres();

function findPostgres(): string | undefined {
  const system = "/usr/lib/postgresql";
  const versions = existsSync(system) ? readdirSync(system).sort((a, b) => Number(b) - Number(a)) : [];
  const installed = versions.map((version) => join(system, version, "bin"));
  const places = [process.env.PG_BIN ?? "", ...installed, ...(process.env.PATH ?? "").split(delimiter)];
  return places.find(
    (place) => place !== "" && existsSync(join(place, "initdb")) && existsSync(join(place, "postgres")),
  );
}

/** A server of its own on the loopback address, which ends with the test. */
export interface PostgresServer {
  /** Where it is, as in `DATABASE_URL`. */
  readonly url: string;
  /** @param settings server settings of the sessions, such as `{ default_transaction_isolation: "serializable" }` */
  pool(settings?: Readonly<Record<string, string>>, max?: number): pg.Pool;
  /** A connection beside the stores, whose loss is nobody's business. */
  operator(): pg.Pool;
  /** Ends the process as an operator would, connections included. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops and continues all its processes without ending them. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Starts it again as a read replica that has caught up, or as a primary. */
  restart(as: "replica" | "primary"): Promise<void>;
  /** Ends the process and the pools, and removes the files. */
  close(): Promise<void>;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

/** The server refuses to run as root: then it runs as the user that its package made. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Starts a server whose data are gone with it. */
export async function startPostgres(): Promise<PostgresServer> {
  if (!POSTGRES) throw new Error("there is no PostgreSQL on this machine");
  const bin = POSTGRES;
  const user = serverUser();
  const folder = mkdtempSync(join(tmpdir(), "jx-postgres-"));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const env = { PATH: process.env.PATH, LC_ALL: "C" };
  const data = join(folder, "data");
  const making = ["-D", data, "-U", "jx", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  execFileSync(join(bin, "initdb"), making, { ...user, env, cwd: folder, stdio: "ignore" });

  const port = await freePort();
  const pools: pg.Pool[] = [];
  let child: ChildProcess | undefined;
  const kill = (): void => {
    child?.kill("SIGKILL");
  };
  process.once("exit", kill);
  const server: PostgresServer = {
    url: `postgres://jx@127.0.0.1:${port}/postgres`,
    pool(settings = {}, max = 10) {
      const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`);
      const pool = new pg.Pool({
        host: "127.0.0.1",
        port,
        user: "jx",
        database: "postgres",
        max,
        options: options.join(" "),
        connectionTimeoutMillis: 5_000,
      });
      pools.push(pool);
      return pool;
    },
    operator() {
      return server.pool({}, 1).on("error", () => {});
    },
    async start() {
      const settings = [
        "fsync=off",
        "max_connections=60",
        "shared_buffers=16MB",
        "unix_socket_directories=",
        "log_min_messages=fatal",
      ];
      const args = ["-D", data, "-h", "127.0.0.1", "-p", String(port), ...settings.flatMap((text) => ["-c", text])];
      child = spawn(join(bin, "postgres"), args, { ...user, env, cwd: folder, stdio: "ignore" });
      for (let tries = 0; tries < 400; tries++) {
        if (await answers(port)) return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error("PostgreSQL did not start");
    },
    async stop() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGINT");
      await gone;
    },
    signal(signal) {
      if (child) signalFamily(child, signal);
    },
    async restart(as) {
      await server.stop();
      const mark = join(data, "standby.signal");
      if (as === "replica") writeFileSync(mark, "");
      else rmSync(mark, { force: true });
      await server.start();
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.end().catch(() => {})));
      await server.stop();
      process.off("exit", kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Signals a process and its children: each connection to PostgreSQL has one. */
export function signalFamily({ pid, exitCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null) return;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ");
  for (const each of [pid, ...children.filter(Boolean).map(Number)]) {
    try {
      process.kill(each, signal);
    } catch {
      // It ended in between.
    }
  }
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: "jx", database: "postgres" });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
