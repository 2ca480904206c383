/** What came of one experiment on one store. */
export interface Finding {
  readonly experiment: string;
  readonly store: string;
  /** What was tried and what was lost, in a few words. */
  readonly text: string;
  /** `undefined` where it is reported and not judged. */
  readonly good: boolean | undefined;
}

/** How much is tried. */
export interface Effort {
  readonly quick: boolean;
}

/** How many rounds to run: all of them, or a tenth and no fewer than three. */
export const rounds = (all: number, { quick }: Effort): number => (quick ? Math.max(3, Math.round(all / 10)) : all);

/** Counts by name, to be shown in one line. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string, by = 1): void {
    this.#counts.set(name, this.of(name) + by);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  toString(): string {
    return [...this.#counts].map(([name, count]) => `${count} ${name}`).join(", ") || "nothing";
  }
}

/** Waits. */
export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until something holds. @throws Error after `limit` milliseconds */
export async function until(what: string, holds: () => unknown, limit = 15_000, every = 10): Promise<void> {
  const end = Date.now() + limit;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${limit} ms`);
    await pause(every);
  }
}
