import { Refusal } from "./refusal.ts";

/** Runs jobs, so many at once; others wait in line, and those past its end are refused with 503. */
export type Queue = <T>(job: () => Promise<T>) => Promise<T>;

/** Makes a queue. Without one, a flood of logins would hash in memory until there is none left. */
export function createQueue({ running, waiting }: { readonly running: number; readonly waiting: number }): Queue {
  const line: Array<() => void> = [];
  let busy = 0;
  return async (job) => {
    if (busy < running) busy++;
    else if (line.length < waiting) await new Promise<void>((go) => line.push(go));
    else throw new Refusal(503, "busy", "Too many logins at once: try again soon", { "Retry-After": "1" });
    try {
      return await job();
    } finally {
      // The place goes to the next in line, or becomes free.
      const next = line.shift();
      if (next) next();
      else busy--;
    }
  };
}
