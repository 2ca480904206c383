import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { asBytes } from "../requests.ts";
import { type Load, openLoad } from "./load.ts";
import type { Shares } from "./profile.ts";
import type { Asked, Ready } from "./server.ts";
import { COOKIE, type Framework, OPEN, PROTECTED } from "./site.ts";

/** A server in a process of its own, and what to send to it. */
export interface ServerProcess {
  readonly variant: string;
  /** Requests for a route, all with the same headers but those that the route asks for. */
  readonly requests: Readonly<Record<"open" | "protected" | "cookie", readonly Buffer[]>>;
  /** The CPU time of a request of these, in nanoseconds, over some milliseconds of load. */
  cost(requests: readonly Buffer[], milliseconds: number): Promise<number>;
  /** Where its CPU time goes, over some milliseconds of load. */
  profile(requests: readonly Buffer[], milliseconds: number): Promise<Shares>;
  /** Asks so often that everything is compiled, but for no longer than ten seconds. */
  warmUp(requests: readonly Buffer[], count: number): Promise<void>;
  close(): Promise<void>;
}

const SERVER = new URL("./server.js", import.meta.url);

function hasTaskset(): boolean {
  try {
    execFileSync("taskset", ["--version"], { stdio: "ignore" });
    return availableParallelism() > 1;
  } catch {
    return false;
  }
}

/** Keeps this process, which is the load, off the core of the servers. Says whether that can be done here. */
export function leaveServersAlone(): boolean {
  if (!hasTaskset()) return false;
  execFileSync("taskset", ["-a", "-c", "-p", `1-${availableParallelism() - 1}`, String(process.pid)], {
    stdio: "ignore",
  });
  return true;
}

/** Starts a server. Where `pinned`, it has the first core to itself. */
export async function startServer(framework: Framework, variant: string, pinned: boolean): Promise<ServerProcess> {
  const options = pinned ? { execPath: "taskset", execArgv: ["-c", "0", process.execPath] } : {};
  const child = fork(SERVER, [framework, variant], options);
  const ended = once(child, "exit");
  const { port, header, cookie } = (await heard(child)) as Ready;
  const load = await openLoad(port);
  // A method that needs a CSRF value, where one may be asked for; all routes of a server are asked in the same way.
  const method = cookie.length > 0 ? "POST" : "GET";
  return {
    variant,
    requests: {
      open: header.map((lines) => asBytes(method, OPEN, lines)),
      protected: header.map((lines) => asBytes(method, PROTECTED, lines)),
      cookie: cookie.map((lines) => asBytes(method, COOKIE, lines)),
    },
    cost: (requests, milliseconds) => costOf(child, load, requests, milliseconds),
    async profile(requests, milliseconds) {
      await asked(child, "profile");
      await load.run(requests, milliseconds);
      return (await asked(child, "profile")) as Shares;
    },
    async warmUp(requests, count) {
      const end = performance.now() + 10_000;
      for (let left = count; left > 0 && performance.now() < end; ) left -= await load.run(requests, 100);
    },
    async close() {
      load.close();
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

async function costOf(
  child: ChildProcess,
  load: Load,
  requests: readonly Buffer[],
  milliseconds: number,
): Promise<number> {
  const before = (await asked(child, "cpu")) as number;
  const answered = await load.run(requests, milliseconds);
  const after = (await asked(child, "cpu")) as number;
  return ((after - before) * 1000) / answered;
}

function asked(child: ChildProcess, what: Asked): Promise<unknown> {
  child.send(what);
  return heard(child);
}

function heard(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const gone = (code: unknown): void => reject(new Error(`the server ended with ${code}`));
    child.once("exit", gone);
    child.once("message", (message) => {
      child.off("exit", gone);
      resolve(message);
    });
  });
}
