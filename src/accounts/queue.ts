import { AccountError, raise } from "../errors.ts";

/** Runs jobs, so many at once; others wait in line, and those past its end are refused with 503. */
export type Queue = <T>(job: () => Promise<T>) => Promise<T>;

/** How many hashes are made at once, and how many may wait. */
export interface QueueSize {
  readonly running: number;
  readonly waiting: number;
}

/**
 * Makes a queue. Without one a flood of logins would hash in memory until there is none left.
 * @throws AccountError `too_busy`, from the queue.
 */
export function createQueue({ running, waiting }: QueueSize): Queue {
  const line: Array<() => void> = [];
  let busy = 0;
  return async (job) => {
    if (busy < running) busy++;
    else if (line.length < waiting) await new Promise<void>((go) => line.push(go));
    else return raise(new AccountError("too_busy", { retryAfter: 1 }));
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
