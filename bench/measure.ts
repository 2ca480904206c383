/** One function to measure. A promise is waited for before the next call. */
export interface Contender {
  readonly name: string;
  /** Makes the input of the next calls, unmeasured. */
  readonly prepare?: ((calls: number) => void) | undefined;
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
  /** Nanoseconds a call, medians. */
  readonly oursNs: number;
  readonly overNs: number;
}

export interface Effort {
  readonly rounds: number;
  /** Milliseconds that one contender runs in one round. */
  readonly slice: number;
}

/** So few that what was prepared is still young when it is used, as with the headers of a request. */
const CHUNK = 100;

async function timed(contender: Contender, calls: number): Promise<number> {
  let total = 0n;
  for (let left = calls; left > 0; left -= CHUNK) {
    const chunk = Math.min(left, CHUNK);
    contender.prepare?.(chunk);
    const start = process.hrtime.bigint();
    for (let i = 0; i < chunk; i++) {
      const result = contender.run(i);
      if (result instanceof Promise) await result;
    }
    total += process.hrtime.bigint() - start;
  }
  return Number(total) / calls;
}

function quantile(sorted: readonly number[], at: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] as number;
}

const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** Runs all contenders in turn, round by round, and compares the first with each of the others. */
export async function compare(
  figure: string,
  contenders: readonly Contender[],
  effort: Effort,
): Promise<readonly Ratio[]> {
  const calls: number[] = [];
  for (const contender of contenders) {
    // Compile first, then find out how many calls fill a slice.
    let ns = await timed(contender, 20);
    const warm = Math.ceil((effort.slice * 2e6) / ns);
    await timed(contender, Math.min(warm, 50_000));
    ns = await timed(contender, Math.min(Math.max(20, Math.ceil(warm / 4)), 5000));
    calls.push(Math.max(10, Math.ceil((effort.slice * 1e6) / ns)));
  }
  const times = contenders.map((): number[] => []);
  for (let round = 0; round < effort.rounds; round++) {
    for (let k = 0; k < contenders.length; k++) {
      // Whoever runs first in a round may find a colder machine: take turns.
      const which = (k + round) % contenders.length;
      times[which]?.push(await timed(contenders[which] as Contender, calls[which] as number));
    }
  }
  const [ours, ...others] = times as [number[], ...number[][]];
  return others.map((other, k) => {
    const ratios = ascending(other.map((ns, round) => ns / (ours[round] as number)));
    return {
      figure,
      ours: (contenders[0] as Contender).name,
      over: (contenders[k + 1] as Contender).name,
      median: quantile(ratios, 0.5),
      lower: quantile(ratios, 0.25),
      upper: quantile(ratios, 0.75),
      oursNs: quantile(ascending(ours), 0.5),
      overNs: quantile(ascending(other), 0.5),
    };
  });
}
