// Tries to lose something: `npm run faults`, `npm run faults -- NAME`, `--store NAME`, `--quick`. See README.md.
import { crash } from "./crash.ts";
import { ending } from "./ending.ts";
import { failover } from "./failover.ts";
import { type Lab, missing, openLab } from "./labs.ts";
import { late } from "./late.ts";
import { outage } from "./outage.ts";
import type { StoreName } from "./places.ts";
import { race } from "./race.ts";
import type { Effort, Finding } from "./report.ts";

interface Experiment {
  readonly stores: readonly StoreName[];
  run(lab: Lab, effort: Effort): Promise<readonly Finding[]>;
}

const ALL: readonly StoreName[] = ["memory", "sqlite", "postgres", "redis"];
const EXPERIMENTS: Readonly<Record<string, Experiment>> = {
  race: { stores: ALL, run: ({ place }, effort) => race(place, effort) },
  ending: { stores: ALL, run: ({ place }, effort) => ending(place, effort) },
  crash: { stores: ["sqlite", "postgres", "redis"], run: crash },
  outage: { stores: ["postgres", "redis"], run: outage },
  late: { stores: ["postgres", "redis"], run: late },
  failover: { stores: ["redis"], run: failover },
};
/** Nothing takes longer: a hang is a failure. */
const LIMIT = 600_000;

const args = process.argv.slice(2);
const storeAt = args.indexOf("--store");
const onlyStore = storeAt < 0 ? undefined : args[storeAt + 1];
const names = args.filter((arg, at) => !arg.startsWith("--") && (storeAt < 0 || at !== storeAt + 1));
if (
  names.some((name) => !Object.hasOwn(EXPERIMENTS, name)) ||
  (storeAt >= 0 && !ALL.includes(onlyStore as StoreName))
) {
  console.error(
    `Usage: npm run faults -- [${Object.keys(EXPERIMENTS).join("|")}] [--store ${ALL.join("|")}] [--quick]`,
  );
  process.exit(2);
}
const effort: Effort = { quick: args.includes("--quick") };

let [passed, failed] = [0, 0];
let unhandled = 0;
process.on("unhandledRejection", (reason) => {
  unhandled++;
  console.log(`UNHANDLED ${String(reason)}`);
});

function print({ experiment, store, text, good }: Finding): void {
  if (good === true) passed++;
  if (good === false) failed++;
  const verdict = good === undefined ? "----" : good ? "pass" : "FAIL";
  console.log(`${verdict}  ${store.padEnd(8)} ${experiment.padEnd(36)} ${text}`);
}

async function attempt(name: string, store: StoreName, { run }: Experiment): Promise<void> {
  const lab = await openLab(store);
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${LIMIT / 1000} s`)), LIMIT);
  });
  try {
    for (const finding of await Promise.race([run(lab, effort), tooLong])) print(finding);
  } catch (error) {
    print({ experiment: name, store, text: `broke off: ${(error as Error).stack ?? error}`, good: false });
  } finally {
    clearTimeout(timer);
    await lab.close();
  }
}

for (const store of ALL.filter((each) => onlyStore === undefined || each === onlyStore)) {
  const why = missing(store);
  if (why !== undefined) {
    console.log(`skip  ${store.padEnd(8)} ${why}`);
    continue;
  }
  for (const [name, experiment] of Object.entries(EXPERIMENTS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    if (experiment.stores.includes(store)) await attempt(name, store, experiment);
  }
}
if (unhandled > 0)
  print({ experiment: "this process", store: "all", text: `${unhandled} unhandled rejections`, good: false });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
