import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { until } from "./report.ts";

/** Everything that was started here and still runs; nothing else is ever signalled. */
const running = new Set<ChildProcess>();

/** Keeps a child in the list of what is ended with this process. */
export function adopt(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

/** Starts a server. What it writes is thrown away. */
export function start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const child = adopt(spawn(command, args, { stdio: "ignore", ...options }));
  child.once("error", () => running.delete(child));
  return child;
}

/** Sends a signal, and waits until the process is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

/** Waits until a process has really been stopped by SIGSTOP. */
export function stopped({ pid }: ChildProcess): Promise<void> {
  const state = (): string | undefined =>
    readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /, "")
      .charAt(0);
  return until("a stopped process", () => state() === "T", 5_000, 1);
}

/** A port of loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
