import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { FIGURES } from "./figures.ts";
import type { Ratio } from "./measure.ts";

const args = process.argv.slice(2);
const jsonAt = args.indexOf("--json");
const jsonFile = jsonAt < 0 ? undefined : args[jsonAt + 1];
const quick = args.includes("--quick");
const names = args.filter((arg, i) => !arg.startsWith("--") && (jsonAt < 0 || i !== jsonAt + 1));
const unknown = names.filter((name) => !Object.hasOwn(FIGURES, name));
if (unknown.length > 0 || (jsonAt >= 0 && jsonFile === undefined)) {
  console.error(`Usage: npm run bench -- [${Object.keys(FIGURES).join("|")}] [--quick] [--json FILE]`);
  process.exit(2);
}

const PEERS = ["fast-jwt", "jose", "jsonwebtoken", "hono"];
const version = (name: string): string => {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
};
const setting = {
  command: ["npm run bench --", ...args].join(" "),
  machine: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores`,
  node: process.version,
  openssl: process.versions.openssl,
  peers: Object.fromEntries(PEERS.map((name) => [name, version(name)])),
};
console.log(setting.command);
console.log(`${setting.machine}; Node ${setting.node}, OpenSSL ${setting.openssl}`);
console.log(PEERS.map((name) => `${name} ${setting.peers[name]}`).join(", "));
console.log("ratio of speeds: median (quartiles); nanoseconds a call");

const effort = quick ? { rounds: 9, slice: 10 } : { rounds: 41, slice: 25 };
const ratios: Ratio[] = [];
for (const name of names.length > 0 ? names : Object.keys(FIGURES)) {
  for (const ratio of (await FIGURES[name]?.(effort)) ?? []) {
    ratios.push(ratio);
    const { figure, ours, over, median, lower, upper, oursNs, overNs } = ratio;
    const spread = `${median.toFixed(2)} (${lower.toFixed(2)} to ${upper.toFixed(2)})`;
    console.log(
      `${figure.padEnd(28)} ${spread.padEnd(24)} ${ours} over ${over}; ${oursNs.toFixed(0)}, ${overNs.toFixed(0)}`,
    );
  }
}
if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify({ ...setting, ratios }, null, 2)}\n`);
