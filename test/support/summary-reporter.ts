import { writeSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";
import { requireAll } from "./require.ts";

/** Ends a run with the line `N passed, N failed` (and `, N skipped` if there are any), whatever else is printed. */
export class SummaryReporter implements Reporter {
  // A run that dies before its end has failed.
  #line = "0 passed, 1 failed";
  #failed = true;

  onInit(): void {
    process.once("exit", () => {
      writeSync(1, `\n${this.#line}\n`);
      if (this.#failed) process.exitCode ||= 1;
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "skipped" && requireAll) console.error(`skipped, but REQUIRE_ALL is set: ${nameOf(test)}`);
        count[state]++;
      }
    }
    // A test that never came to its end, as in a worker that died, has not passed.
    count.failed += count.pending + (requireAll ? count.skipped : 0);
    if (modules.length === 0) count.failed++;
    this.#failed = count.failed > 0;
    const skipped = count.skipped > 0 && !requireAll ? `, ${count.skipped} skipped` : "";
    this.#line = `${count.passed} passed, ${count.failed} failed${skipped}`;
  }
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}
