#!/usr/bin/env node
import { run } from "./run.ts";

// A reader that goes away, as `| head` does, is no fault.
process.stdout.on("error", () => process.exit());

void run(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
}).then((code) => {
  process.exitCode = code;
});
