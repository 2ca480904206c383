import { fork } from "node:child_process";
import { type Contender, compare, type Effort, type Ratio } from "./measure.ts";

/** What is measured in a process of its own, since one contender changes how fast another one is. */
export interface Job {
  /** What it measures, for messages. */
  readonly name: string;
  measure(effort: Effort): Promise<readonly Ratio[]>;
}

/** Makes the contenders, which may import what they need. Nothing else is loaded beside them. */
type Make = () => Promise<readonly [Contender, Contender]> | readonly [Contender, Contender];

/** A job that compares two contenders. */
export function pair(figure: string, make: Make, target?: number): Job {
  return {
    name: figure,
    measure: async (effort) => (await compare(figure, await make(), effort)).map((ratio) => ({ ...ratio, target })),
  };
}

/** Measures a job in a child process, and gives what it found. */
export function inOwnProcess(figure: string, which: number, effort: Effort): Promise<readonly Ratio[]> {
  const file = new URL("./child.js", import.meta.url);
  return new Promise((resolve, reject) => {
    const child = fork(file, [figure, String(which), JSON.stringify(effort)]);
    let ratios: readonly Ratio[] | undefined;
    child.on("message", (message) => {
      ratios = message as readonly Ratio[];
    });
    child.on("error", reject);
    child.on("exit", (code, signal) =>
      ratios && code === 0 ? resolve(ratios) : reject(new Error(`the child ended with ${signal ?? code}`)),
    );
  });
}
