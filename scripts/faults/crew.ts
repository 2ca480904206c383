import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Actor, Step } from "./actor.ts";
import type { LoadStats } from "./load.ts";
import type { Place } from "./places.ts";
import { adopt, end } from "./processes.ts";
import type { Order } from "./worker.ts";

/** An actor in a process of its own, which may be stopped or killed. */
export interface Hand extends Actor {
  readonly child: ChildProcess;
  /** It ends or stops itself when it next reaches this step. */
  catchAt(step: Step, signal: "SIGKILL" | "SIGSTOP"): Promise<void>;
  load(live: readonly string[], revoked: readonly string[]): Promise<void>;
  stats(reset: boolean): Promise<LoadStats & { readonly unhandled: number; readonly heap: number }>;
  halt(): Promise<void>;
}

/** What a call is rejected with when the process behind it is gone. */
export class Gone extends Error {}

/** Starts a child process with a store of this place open. */
export async function hire(place: Place): Promise<Hand> {
  // Compiled: a process is started for each of many rounds.
  const script = fileURLToPath(new URL("./worker.js", import.meta.url));
  const child = adopt(fork(script, { execArgv: ["--expose-gc"] }));
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let count = 0;
  const begun = new Promise<void>((resolve) => {
    child.on("message", ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
      if (id === 0) return resolve();
      const call = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) call?.resolve(value as never);
      else call?.reject(new Error(error));
    });
  });
  child.once("exit", () => {
    for (const { reject } of waiting.values()) reject(new Gone("the process is gone"));
    waiting.clear();
  });
  const call = <T>(name: Order["name"], ...args: readonly unknown[]): Promise<T> => {
    count++;
    const order: Order = { id: count, name, args };
    return new Promise<T>((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null) return reject(new Gone("the process is gone"));
      waiting.set(order.id, { resolve, reject });
      child.send(order, (error) => error && reject(new Gone(error.message)));
    });
  };
  await begun;
  await call("open", place);
  return {
    child,
    catchAt: (step, signal) => call("catch", step, signal),
    load: (live, revoked) => call("load", live, revoked),
    stats: (reset) => call("stats", reset),
    halt: () => call("halt"),
    login: (subject) => call("login", subject),
    refresh: (token, times = 1) => call("refresh", token, times),
    logout: (sid) => call("logout", sid),
    revokeAll: (subject) => call("revokeAll", subject),
    check: (access) => call("check", access),
    sessions: (subject) => call("sessions", subject),
    close: () => end(child, "SIGKILL"),
  };
}

/** Hands for one round each: the next ones get ready while one is at work. */
export interface Crew {
  next(): Promise<Hand>;
  close(): Promise<void>;
}

/** @param ahead How many get ready at a time */
export function crew(place: Place, ahead = 2): Crew {
  const ready = Array.from({ length: ahead }, () => hire(place));
  return {
    next() {
      ready.push(hire(place));
      return ready.shift() as Promise<Hand>;
    },
    async close() {
      for (const hand of await Promise.all(ready)) await hand.close();
    },
  };
}
