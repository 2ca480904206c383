import { type ChildProcess, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { end, freePort, start } from "./processes.ts";
import { pause, until } from "./report.ts";
import type { Server } from "./servers.ts";

/** Where Debian keeps what is not on the path. */
const DEBIAN = "/usr/lib/postgresql";
const USER = "faults";
const SETTINGS = ["max_connections=80", "shared_buffers=32MB", "unix_socket_directories=", "hot_standby=on"];

/** Where the programs of the server are; `undefined` where it is not installed. */
export function postgresFolder(): string | undefined {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, "bin")) : [];
  const folders = [...(process.env.PATH ?? "").split(":"), ...debian.sort().reverse()];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

/** PostgreSQL does not run as root: there it runs as the user of its package. */
function owner(): { uid?: number; gid?: number } {
  if (userInfo().uid !== 0) return {};
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith("postgres:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined) throw new Error("there is no user to run PostgreSQL as");
  return { uid: Number(uid), gid: Number(gid) };
}

/** Starts PostgreSQL on loopback with an empty database. */
export async function startPostgres(): Promise<Server> {
  const programs = postgresFolder() as string;
  const folder = mkdtempSync(join(tmpdir(), "jx-faults-postgres-"));
  const who = owner();
  if (who.uid !== undefined) chownSync(folder, who.uid, who.gid as number);
  const data = join(folder, "data");
  const port = await freePort();
  const made = spawnSync(join(programs, "initdb"), ["-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "-N"], {
    ...who,
    cwd: folder,
  });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  const settings = [...SETTINGS, `port=${port}`, "listen_addresses=127.0.0.1"].flatMap((setting) => ["-c", setting]);
  let child: ChildProcess;
  async function ask(statement: string): Promise<unknown> {
    const client = new Client({ host: "127.0.0.1", port, user: USER, database: "postgres" });
    client.on("error", () => {});
    try {
      await client.connect();
      return (await client.query(statement)).rows;
    } finally {
      await client.end().catch(() => {});
    }
  }
  const up = (): Promise<boolean> => ask("select 1").then(Boolean, () => false);
  const server: Server = {
    port,
    async start() {
      const launch = (): void => {
        child = start(join(programs, "postgres"), ["-D", data, ...settings], { ...who, cwd: folder });
      };
      launch();
      await until("postgres", async () => {
        // After a SIGKILL the orphans of the last one hold its memory for a moment, and the new one gives up.
        if (child.exitCode !== null) {
          await pause(50);
          rmSync(join(data, "postmaster.pid"), { force: true });
          launch();
        }
        return up();
      });
    },
    kill: () => end(child, "SIGKILL"),
    // The processes behind the connections are of its own: all of them must fall silent.
    hang: () => signalFamily(child, "SIGSTOP"),
    resume: () => signalFamily(child, "SIGCONT"),
    async readOnly(on) {
      if (on) {
        await end(child, "SIGINT");
        writeFileSync(join(data, "standby.signal"), "");
        await server.start();
        return;
      }
      await ask("select pg_promote()");
      await until("promotion", async () =>
        JSON.stringify(await ask("select pg_is_in_recovery() as r")).includes("false"),
      );
    },
    async empty() {
      await ask("drop schema public cascade; create schema public");
    },
    async close() {
      signalFamily(child, "SIGCONT");
      await end(child, "SIGINT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

function signalFamily({ pid, exitCode }: ChildProcess, signal: NodeJS.Signals): void {
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

/** What `pg` connects with. */
export const postgresUser = { user: USER, database: "postgres" } as const;
