import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Corpus, readCorpus } from "../test/conformance/format.ts";
import { runInterop } from "../test/conformance/interop.ts";
import { type Outcome, runScenarios } from "../test/conformance/runner.ts";
import { harnesses } from "../test/support/harness/index.ts";
import { ADAPTERS, type AdapterName } from "../test/support/harness/types.ts";

/**
 * Runs a folder of the format of test/conformance/SPEC.md:
 * `npm run conformance -- --corpus DIR --adapter express|fastify|hono|koa|node|web|all --only TEXT`.
 */
function options(): { corpus: Corpus; adapters: readonly AdapterName[]; only: string } {
  const { values } = parseArgs({
    options: {
      corpus: { type: "string" },
      adapter: { type: "string", default: "all" },
      only: { type: "string", default: "" },
    },
  });
  const adapters = ADAPTERS.filter((name) => values.adapter === "all" || values.adapter === name);
  if (adapters.length === 0) throw new Error(`unknown adapter ${values.adapter}: one of ${ADAPTERS.join(", ")}, all`);
  const corpus = values.corpus === undefined ? readCorpus() : readCorpus(resolve(values.corpus));
  return { corpus, adapters, only: values.only };
}

const total = { passed: 0, failed: 0 };

function report(name: string, what: string, outcomes: readonly Outcome[], started: number): void {
  const failed = outcomes.filter(({ faults }) => faults.length > 0);
  const passed = outcomes.length - failed.length;
  total.passed += passed;
  total.failed += failed.length;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${name}: ${outcomes.length} ${what}, ${passed} passed, ${failed.length} failed (${seconds} s)`);
  for (const { id, faults } of failed) {
    console.log(`  ${id}`);
    for (const fault of faults) console.log(`    ${fault}`);
  }
}

const { corpus, adapters, only } = options();
const scenarios = corpus.groups.flatMap((group) => group.scenarios).filter(({ id }) => id.includes(only));
for (const name of adapters) {
  const started = performance.now();
  report(name, "scenarios", await runScenarios(scenarios, harnesses[name], corpus.key), started);
}
const started = performance.now();
const tokens = corpus.interop.filter(({ id }) => `interop.${id}`.includes(only));
report("interop", "tokens", await Promise.all(tokens.map((entry) => runInterop(entry, corpus.key))), started);

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
