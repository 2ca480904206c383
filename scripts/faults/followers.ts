import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Place } from "./places.ts";
import { adopt, end } from "./processes.ts";
import type { Following, Sight, Sights } from "./replica-worker.ts";
import { until } from "./report.ts";

/** A process that follows a store, and asks a guard about tokens without pause. */
export interface Follower {
  readonly child: ChildProcess;
  /** What it last told. */
  readonly seen: Sights;
  sightOf(name: string): Sight;
  /** Tokens by name, to be asked about from now on. */
  watch(tokens: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

const NOTHING: Sights = {
  sights: {},
  isFresh: false,
  resyncs: 0,
  entries: 0,
  asked: 0,
  unavailable: 0,
  unhandled: 0,
};

/** Starts processes that follow a place, and waits until each holds a copy. */
export async function followers(
  place: Place,
  count: number,
  options: Omit<Following, "place">,
): Promise<readonly Follower[]> {
  const script = fileURLToPath(new URL("./replica-worker.js", import.meta.url));
  const all = Array.from({ length: count }, (): Follower => {
    const child = adopt(fork(script, [JSON.stringify({ place, ...options } satisfies Following)]));
    let seen = NOTHING;
    child.on("message", (told) => {
      seen = told as Sights;
    });
    return {
      child,
      get seen() {
        return seen;
      },
      sightOf: (name) => seen.sights[name] ?? {},
      watch: (tokens) => void child.send(tokens),
      close: () => end(child, "SIGKILL"),
    };
  });
  await until("followers", () => all.every(({ seen }) => seen.isFresh), 30_000);
  return all;
}
