/** One function to measure. A promise is waited for before the next call. */
export interface Contender {
  readonly name: string;
  /** Makes the input of the next calls, unmeasured. */
  readonly prepare?: ((calls: number) => void | Promise<void>) | undefined;
  /** `i` counts from the last `prepare` on. */
  readonly run: (i: number) => unknown;
}

/** How much faster the first contender was than another one, over the rounds. */
export interface Ratio {
  readonly figure: string;
  readonly ours: string;
  readonly over: string;
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  /** The lowest tenth of their costs against the lowest tenth of ours: what it is where the machine does nothing else. */
  readonly calm?: number | undefined;
  /** Nanoseconds a call or a request, medians. */
  readonly oursNs: number;
  readonly overNs: number;
  /** What the median should at least be. */
  readonly target?: number | undefined;
  /** Where the cost of one thing grows with another: how many, or how large. */
  readonly size?: number | undefined;
  /** Bytes of memory, of both. */
  readonly memory?: readonly [ours: number, over: number] | undefined;
}

export interface Effort {
  readonly rounds: number;
  /** Milliseconds that one contender runs in one round. */
  readonly slice: number;
  /** A first look: less of everything. */
  readonly quick: boolean;
  /** Counts the CPU time of the process, all its threads, instead of the time on the wall: for machines that are busy. */
  readonly cpu: boolean;
}

/** Calls at a time, so few that what was prepared is still young when it is used, as with the headers of a request. */
const CHUNK = 100;

/** Nanoseconds since some moment. */
type Clock = () => number;
const wallClock: Clock = () => Number(process.hrtime.bigint());
const cpuClock: Clock = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
};

async function timed(contender: Contender, calls: number, clock: Clock): Promise<number> {
  let total = 0;
  for (let left = calls; left > 0; left -= CHUNK) {
    const chunk = Math.min(left, CHUNK);
    const prepared = contender.prepare?.(chunk);
    if (prepared instanceof Promise) await prepared;
    const start = clock();
    for (let i = 0; i < chunk; i++) {
      const result = contender.run(i);
      if (result instanceof Promise) await result;
    }
    total += clock() - start;
  }
  return total / calls;
}

/** Runs a contender for some milliseconds, so that it is compiled, and gives the least that a call cost. */
async function warmedUp(contender: Contender, milliseconds: number, clock: Clock): Promise<number> {
  const end = performance.now() + milliseconds;
  let least = Number.POSITIVE_INFINITY;
  for (let calls = 0; calls < 40 || (performance.now() < end && calls < 100_000); calls += 20) {
    least = Math.min(least, await timed(contender, 20, clock));
  }
  return least;
}

function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] as number;
}

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The ratio of two rows of costs, one of each a round. */
export function ratioOf(
  names: { readonly figure: string; readonly ours: string; readonly over: string },
  ours: readonly number[],
  over: readonly number[],
): Ratio {
  const ratios = ascending(over.map((cost, round) => cost / (ours[round] as number)));
  const [mine, theirs] = [ascending(ours), ascending(over)];
  return {
    ...names,
    median: quantile(ratios, 0.5),
    lower: quantile(ratios, 0.25),
    upper: quantile(ratios, 0.75),
    calm: quantile(theirs, 0.1) / quantile(mine, 0.1),
    oursNs: quantile(mine, 0.5),
    overNs: quantile(theirs, 0.5),
  };
}

/** Runs all contenders in turn, round by round, and compares the first with each of the others. */
export async function compare(
  figure: string,
  contenders: readonly Contender[],
  effort: Effort,
): Promise<readonly Ratio[]> {
  const clock = effort.cpu ? cpuClock : wallClock;
  const calls: number[] = [];
  for (const contender of contenders) {
    const ns = Math.max(100, await warmedUp(contender, effort.slice * 12, clock));
    calls.push(Math.max(10, Math.ceil((effort.slice * 1e6) / ns)));
  }
  const times = contenders.map((): number[] => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (let k = 0; k < contenders.length; k++) {
      // Whoever runs first in a round may find a colder machine: take turns.
      const which = (k + round) % contenders.length;
      times[which]?.push(await timed(contenders[which] as Contender, calls[which] as number, clock));
    }
  }
  const [ours, ...others] = times as [number[], ...number[][]];
  const [first, ...rest] = contenders as [Contender, ...Contender[]];
  return others.map((other, k) =>
    ratioOf({ figure, ours: first.name, over: (rest[k] as Contender).name }, ours, other),
  );
}
