// Tries to lose something: `npm run faults`, `npm run faults -- NAME`, `--store NAME`, `--quick`. See README.md.
import { parseArgs } from "node:util";
import { crash } from "./crash.ts";
import { ending } from "./ending.ts";
import { failover } from "./failover.ts";
import { type Lab, missing, openLab } from "./labs.ts";
import { late } from "./late.ts";
import { outage } from "./outage.ts";
import type { StoreName } from "./places.ts";
import { race } from "./race.ts";
import { replica } from "./replica.ts";
import type { Effort, Finding } from "./report.ts";

interface Experiment {
  readonly stores: readonly StoreName[];
  run(lab: Lab, effort: Effort): Promise<readonly Finding[]>;
}

const ONE: readonly StoreName[] = ["memory", "sqlite", "postgres", "mysql", "mysql-strict", "redis"];
const ALL: readonly StoreName[] = [...ONE, "cluster", "sentinel"];
const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  race: { stores: [...ONE, "cluster"], run: ({ place }, effort) => race(place, effort) },
  ending: { stores: [...ONE, "cluster"], run: ({ place }, effort) => ending(place, effort) },
  crash: { stores: ["sqlite", "postgres", "mysql", "mysql-strict", "redis", "cluster"], run: crash },
  outage: { stores: ["postgres", "mysql", "mysql-strict", "redis", "cluster"], run: outage },
  late: { stores: ["postgres", "mysql", "mysql-strict", "redis"], run: late },
  failover: { stores: ["redis", "cluster", "sentinel"], run: failover },
  replica: { stores: ["postgres", "mysql", "redis"], run: replica },
};
/** Nothing takes longer: a hang is a failure. */
const LIMIT = 600_000;

function usage(): never {
  console.error(
    `Usage: npm run faults -- [${Object.keys(EXPERIMENTS).join("|")}]… [--store ${ALL.join("|")}] [--quick]`,
  );
  process.exit(2);
}

function readArguments() {
  const options = { store: { type: "string" }, quick: { type: "boolean", default: false } } as const;
  try {
    const { values, positionals: names } = parseArgs({ options, allowPositionals: true });
    const { store, quick } = values;
    const known = store === undefined || ALL.includes(store as StoreName);
    return known && names.every((name) => Object.hasOwn(EXPERIMENTS, name)) ? { store, names, quick } : usage();
  } catch {
    return usage();
  }
}

const { store: onlyStore, names, quick } = readArguments();
const effort: Effort = { quick };

/** What came of each experiment over all stores. */
const sums = new Map<string, { passed: number; failed: number; counted: number; seconds: number }>();
let unhandled = 0;
process.on("unhandledRejection", (reason) => {
  unhandled++;
  console.log(`UNHANDLED ${String(reason)}`);
});

function sumOf(name: string) {
  const sum = sums.get(name) ?? { passed: 0, failed: 0, counted: 0, seconds: 0 };
  sums.set(name, sum);
  return sum;
}

function print(name: string, { experiment, store, text, good }: Finding): void {
  const sum = sumOf(name);
  if (good === undefined) sum.counted++;
  else if (good) sum.passed++;
  else sum.failed++;
  const verdict = good === undefined ? "----" : good ? "pass" : "FAIL";
  console.log(`${verdict}  ${store.padEnd(12)} ${experiment.padEnd(36)} ${text}`);
}

async function attempt(name: string, store: StoreName, { run }: Experiment): Promise<void> {
  const since = performance.now();
  const lab = await openLab(store);
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${LIMIT / 1000} s`)), LIMIT);
  });
  try {
    for (const finding of await Promise.race([run(lab, effort), tooLong])) print(name, { ...finding, store });
  } catch (error) {
    print(name, { experiment: name, store, text: `broke off: ${(error as Error).stack ?? error}`, good: false });
  } finally {
    clearTimeout(timer);
    await lab.close();
    sumOf(name).seconds += (performance.now() - since) / 1000;
  }
}

for (const store of ALL.filter((each) => onlyStore === undefined || each === onlyStore)) {
  const why = missing(store);
  if (why !== undefined) {
    console.log(`skip  ${store.padEnd(12)} ${why}`);
    continue;
  }
  for (const [name, experiment] of Object.entries(EXPERIMENTS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    if (experiment.stores.includes(store)) await attempt(name, store, experiment);
  }
}
if (unhandled > 0) {
  const text = `${unhandled} unhandled rejections`;
  print("this process", { experiment: "this process", store: "all", text, good: false });
}
let [passed, failed] = [0, 0];
console.log("");
for (const [name, sum] of sums) {
  passed += sum.passed;
  failed += sum.failed;
  const counted = sum.counted > 0 ? `, ${sum.counted} counted and not judged` : "";
  console.log(`${name.padEnd(9)} ${sum.passed} passed, ${sum.failed} failed${counted}, ${Math.round(sum.seconds)} s`);
}
console.log(`${passed} passed, ${failed} failed, ${Math.round(performance.now() / 1000)} s`);
process.exit(failed > 0 ? 1 : 0);
