import { randomUUID } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { keyText } from "../../src/stores/keys.ts";
import { CompactTable, readKeyText } from "../../src/stores/replica/table.ts";
import type { Job } from "../jobs.ts";
import { compare, type Effort, type Ratio } from "../measure.ts";

/** Milliseconds that no insert may take, also one that makes the table grow; bytes that no entry may take. */
const [LONGEST, MOST] = [5, 40];
const TRIED = 100_000;
/** Filled as often; the machine stops a process now and then, so the best of them counts. */
const FILLS = 3;

/** Keys that are alike in every run, each unlike the others. */
function keysFrom(seed: number): (into: Uint32Array) => Uint32Array {
  const state = Uint32Array.of(seed, 2, 3, 4);
  return (into) => {
    for (let word = 0; word < 4; word++) {
      let [t, s] = [state[3] as number, state[0] as number];
      state.copyWithin(1, 0, 3);
      t ^= t << 11;
      t ^= t >>> 8;
      s = t ^ s ^ (s >>> 19);
      state[0] = s;
      into[word] = s;
    }
    return into;
  };
}

function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** What filling a table came to. Milliseconds; bytes that the process holds for it. */
interface Filled {
  readonly table: CompactTable;
  /** The longest insert that made it grow; of the last thousand of them the median, and within what 99 of 100 were. */
  readonly longest: number;
  readonly usual: number;
  readonly most: number;
  /** The longest insert that did not: it does next to nothing, so what it took was the machine's doing. */
  readonly other: number;
  readonly held: number;
}

function fill(size: number, hasValues: boolean): Filled {
  collect();
  const before = process.memoryUsage().arrayBuffers;
  const table = new CompactTable(hasValues);
  const [next, key] = [keysFrom(1), new Uint32Array(4)];
  const growths: number[] = [];
  let [longest, other, bytes] = [0, 0, table.bytes];
  for (let at = 0; at < size; at++) {
    next(key);
    const begun = performance.now();
    table.set(key, 2e12, 1.7e12);
    const took = performance.now() - begun;
    if (table.bytes === bytes) other = Math.max(other, took);
    else {
      longest = Math.max(longest, took);
      growths.push(took);
      bytes = table.bytes;
    }
  }
  collect();
  const [usual, most] = [500, 990].map((at) => growths.slice(-1_000).sort((a, b) => a - b)[at]) as [number, number];
  return { table, longest, usual, most, other, held: process.memoryUsage().arrayBuffers - before };
}

/** @throws Error for any wrong answer */
function tryAll(table: CompactTable, size: number): void {
  const [there, other, key] = [keysFrom(1), keysFrom(7), new Uint32Array(4)];
  let wrong = 0;
  for (let at = 0; at < size; at++) {
    there(key);
    if (at % Math.ceil(size / TRIED) === 0 && !table.has(key)) wrong++;
  }
  for (let at = 0; at < TRIED; at++) if (table.has(other(key))) wrong++;
  if (wrong > 0 || table.entries !== size) throw new Error(`${wrong} wrong answers, ${table.entries} entries`);
}

async function measure(size: number, hasValues: boolean, effort: Effort): Promise<readonly Ratio[]> {
  const figure = `replica: ${hasValues ? "epochs" : "table"}, ${size.toLocaleString("en")}`;
  const fills = Array.from({ length: effort.quick ? 1 : FILLS }, () => fill(size, hasValues));
  const [{ table, held }] = fills as [Filled];
  const least = (of: (filled: Filled) => number): number => Math.min(...fills.map(of));
  const [longest, usual, most] = [least((of) => of.longest), least((of) => of.usual), least((of) => of.most)];
  tryAll(table, size);
  const bytes = table.bytes / size;
  console.log(
    `${figure}: ${bytes.toFixed(1)} bytes an entry (${(held / size).toFixed(1)} in array buffers); an insert that makes it grow takes ${usual.toFixed(2)} ms, 99 of 100 within ${most.toFixed(2)} ms, the longest ${longest.toFixed(2)} ms (of those that do not: ${least(({ other }) => other).toFixed(2)} ms); no wrong answer about ${TRIED} keys that are there and ${TRIED} that are not`,
  );
  const of = (ours: string, over: string, [our, other]: readonly [number, number], memory: Ratio["memory"]): Ratio => {
    const median = other / our;
    return {
      figure,
      ours,
      over,
      median,
      lower: median,
      upper: median,
      oursNs: our,
      overNs: other,
      size,
      memory,
      target: 1,
    };
  };
  const rows = [
    of("bytes of an entry", `${MOST} bytes`, [bytes, MOST], [table.bytes, MOST * size]),
    of("insert that makes it grow", `${LONGEST} ms`, [usual * 1e6, LONGEST * 1e6], undefined),
    of("longest insert", `${LONGEST} ms`, [longest * 1e6, LONGEST * 1e6], undefined),
  ];
  const [absent, present, key] = [keysFrom(7), keysFrom(1), new Uint32Array(4)];
  const names = Array.from({ length: 1_000 }, () => randomUUID());
  const ratios = await compare(
    figure,
    [
      { name: "looking up a key that is not there", run: () => table.has(absent(key)) },
      { name: "looking up one that is", run: () => table.has(present(key)) },
      { name: "making a key", run: (i) => readKeyText(keyText("token", names[i % 1_000] as string), key) },
    ],
    effort,
  );
  return [...rows, ...ratios.map((ratio) => ({ ...ratio, size }))];
}

/** The table of revocations at several sizes: bytes of an entry, the longest insert, a lookup. */
export const tableJobs: readonly Job[] = (
  [
    [1_000_000, false],
    [10_000_000, false],
    [1_000_000, true],
    [10_000_000, true],
  ] as const
).map(([size, hasValues]) => ({
  name: `replica: table of ${size}`,
  measure: (effort) => measure(effort.quick ? size / 10 : size, hasValues, effort),
}));
