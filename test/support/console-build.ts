import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./house.ts";
import { filesBelow } from "./source.ts";

/** Before all tests: builds the console where there is none, or where its source is newer. */
export default function buildConsole(): void {
  const changed = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const built = changed(join(ROOT, "dist/console/index.html"));
  const sources = ["console", "client"].flatMap((top) =>
    filesBelow(join(ROOT, top), () => true).map((path) => join(ROOT, top, path)),
  );
  if (sources.every((path) => changed(path) <= built)) return;
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  const { NODE_ENV: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [vite, "build", "console"], {
    cwd: ROOT,
    env,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the console cannot be built:\n${stdout}${stderr}`);
}
