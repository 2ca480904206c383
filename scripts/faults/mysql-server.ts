import { type ChildProcess, execFileSync, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { createConnection } from "mysql2/promise";
import { end, freePort, start } from "./processes.ts";
import { until } from "./report.ts";
import type { Server } from "./servers.ts";

/** A MariaDB server of our own. */
export interface MysqlServer extends Server {
  /** Runs a statement as the operator, and answers its rows. */
  ask(statement: string): Promise<readonly Record<string, unknown>[]>;
  /** Ends it as an operator would. */
  stop(): Promise<void>;
}

const DATABASE = "jx";
/** Who may do anything, and whom a server that is read-only does not stop. */
const OPERATOR = "operator";
/** What `mysql2` connects with. */
export const mysqlUser = { user: "jx", database: DATABASE, host: "127.0.0.1" } as const;

const SMALL = ["--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--performance-schema=OFF"];
const SETTINGS = [...SMALL, "--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=120"];
/** The server runs them as itself, at each start. */
const FIRST = `create database if not exists ${DATABASE};
create user if not exists '${mysqlUser.user}'@'127.0.0.1';
grant all on ${DATABASE}.* to '${mysqlUser.user}'@'127.0.0.1';
create user if not exists '${OPERATOR}'@'127.0.0.1';
grant all on *.* to '${OPERATOR}'@'127.0.0.1' with grant option;
`;

/** The program of this name; `undefined` where it is not installed. Debian keeps servers outside of the path of users. */
function program(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Whether there is a server to start. */
export const hasMysql = (): boolean => program("mariadbd") !== undefined && program("mariadb-install-db") !== undefined;

/** MariaDB does not run as root: there it runs as the user of its package. */
function owner(): { uid?: number; gid?: number } {
  if (userInfo().uid !== 0) return {};
  const id = (flag: string): number => Number(execFileSync("id", [flag, "mysql"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Starts MariaDB on loopback with an empty database. @param more settings of the server, such as `--debug-no-sync` */
export async function startMysql(...more: readonly string[]): Promise<MysqlServer> {
  const folder = mkdtempSync(join(tmpdir(), "jx-mysql-"));
  const who = owner();
  if (who.uid !== undefined) chownSync(folder, who.uid, who.gid as number);
  const data = join(folder, "data");
  const first = join(folder, "first.sql");
  writeFileSync(first, FIRST);
  const making = [`--datadir=${data}`, "--auth-root-authentication-method=normal", "--skip-test-db", "--debug-no-sync"];
  const made = spawnSync(program("mariadb-install-db") as string, ["--no-defaults", ...making, ...SMALL], {
    ...who,
    cwd: folder,
  });
  if (made.status !== 0) throw new Error(`mariadb-install-db: ${made.stdout}${made.stderr}`);
  const port = await freePort();
  const places = [`--datadir=${data}`, `--port=${port}`, `--socket=${join(folder, "s")}`, `--init-file=${first}`];
  let child: ChildProcess;
  async function ask(statement: string): Promise<Record<string, unknown>[]> {
    const connection = await createConnection({ ...mysqlUser, user: OPERATOR, port, multipleStatements: true });
    connection.on("error", () => {});
    try {
      return (await connection.query(statement))[0] as Record<string, unknown>[];
    } finally {
      connection.destroy();
    }
  }
  const server: MysqlServer = {
    port,
    ask,
    async start() {
      const launch = (): void => {
        child = start(program("mariadbd") as string, ["--no-defaults", ...places, ...SETTINGS, ...more], {
          ...who,
          cwd: folder,
        });
      };
      launch();
      await until("mariadbd", async () => {
        // After a SIGKILL the lock of its files may outlive it for a moment, and the new one gives up.
        if (child.exitCode !== null) launch();
        return ask("select 1").then(Boolean, () => false);
      });
    },
    stop: () => end(child, "SIGTERM"),
    kill: () => end(child, "SIGKILL"),
    hang: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async readOnly(on) {
      await ask(`set global read_only = ${on ? 1 : 0}`);
    },
    async empty() {
      await ask(`drop database ${DATABASE}; create database ${DATABASE}`);
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
