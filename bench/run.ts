import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { writeDocs } from "./docs/write.ts";
import { FIGURE_NAMES, jobsOf } from "./figures.ts";
import { inOwnProcess } from "./jobs.ts";
import type { Effort, Ratio } from "./measure.ts";
import { describeSetting, type Setting, settingLines } from "./setting.ts";

/** What a run found, as `--json` writes it. */
interface Results extends Setting {
  readonly ratios: readonly Ratio[];
}

const options = {
  json: { type: "string" },
  from: { type: "string" },
  quick: { type: "boolean", default: false },
  cpu: { type: "boolean", default: false },
  "write-docs": { type: "boolean", default: false },
} as const;

function usage(why: string): never {
  console.error(why);
  console.error(
    `Usage: npm run bench -- [${FIGURE_NAMES.join("|")}]… [--quick] [--cpu] [--json FILE] [--write-docs] [--from FILE]`,
  );
  process.exit(2);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((name) => !FIGURE_NAMES.includes(name));
    return unknown === undefined ? { values, positionals } : usage(`There is no figure called ${unknown}.`);
  } catch (error) {
    return usage((error as Error).message);
  }
}

function printed(ratio: Ratio): string {
  const { figure, ours, over, median, lower, upper, calm, oursNs, overNs, target, memory } = ratio;
  const spread = `${median.toFixed(2)} (${lower.toFixed(2)} to ${upper.toFixed(2)})`;
  const bar = target === undefined ? "" : `target ${target}${median >= target ? "" : " MISSED"}`;
  const kib = memory ? `; ${memory.map((bytes) => Math.round(bytes / 1024)).join(", ")} KiB` : "";
  const still = calm === undefined ? "" : `calm ${calm.toFixed(2)}; `;
  const costs = `${still}${oursNs.toFixed(0)}, ${overNs.toFixed(0)} ns${kib}`;
  return `${figure.padEnd(28)} ${spread.padEnd(24)} ${bar.padEnd(18)} ${ours} over ${over}; ${costs}`;
}

async function measure(names: readonly string[], effort: Effort): Promise<Ratio[]> {
  const ratios: Ratio[] = [];
  for (const name of names) {
    for (const [which, job] of (await jobsOf(name)).entries()) {
      try {
        const found = await inOwnProcess(name, which, effort);
        ratios.push(...found);
        for (const ratio of found) console.log(printed(ratio));
      } catch (error) {
        console.error(`${job.name}: ${(error as Error).message}`);
        process.exitCode = 1;
      }
    }
  }
  return ratios;
}

async function run(): Promise<void> {
  const { values, positionals } = readArguments();
  let results: Results;
  if (values.from === undefined) {
    const flags = [values.quick && "--quick", values.cpu && "--cpu"].filter((flag) => flag !== false);
    const setting = describeSetting([...positionals, ...flags]);
    for (const line of settingLines(setting)) console.log(line);
    console.log(
      "Each pair in a process of its own. Ratio of speeds: median (quartiles); target; ratio in calm rounds; costs of a call or request",
    );
    const { quick, cpu } = values;
    const effort = quick ? { rounds: 9, slice: 10, quick, cpu } : { rounds: 41, slice: 25, quick, cpu };
    const ratios = await measure(positionals.length > 0 ? positionals : FIGURE_NAMES, effort);
    results = { ...setting, ratios };
  } else {
    results = JSON.parse(readFileSync(values.from, "utf8")) as Results;
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  if (values["write-docs"]) writeDocs(results, results.ratios);
}

await run();
