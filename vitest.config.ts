import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { SummaryReporter } from "./test/support/summary-reporter.ts";

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^jwt-extended$/, replacement: source("index.ts") },
      { find: /^jwt-extended\/client$/, replacement: source("../client/index.ts") },
      { find: /^jwt-extended\/(accounts|testing)$/, replacement: `${source("")}$1/index.ts` },
      { find: /^jwt-extended\/(sqlite|postgres|mysql)$/, replacement: `${source("stores/")}$1.ts` },
      { find: /^jwt-extended\/redis$/, replacement: source("stores/redis.ts") },
      { find: /^jwt-extended\/(.*)$/, replacement: `${source("adapters/")}$1.ts` },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", new SummaryReporter()],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Most of the time is spent waiting for servers, browsers and clocks: more than one for each core keeps few cores busy.
    maxWorkers: Math.max(4, availableParallelism()),
    globalSetup: ["test/support/console-build.ts"],
  },
});
