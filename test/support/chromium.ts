import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { available } from "./require.ts";

const names = process.env.CHROMIUM ? [process.env.CHROMIUM] : ["chromium", "chromium-browser", "google-chrome"];
const path = names.find((name) => spawnSync(name, ["--version"]).status === 0);

/** Whether tests can drive a real browser here: `describe.skipIf(!hasChromium)`. Says so where they cannot. */
export const hasChromium: boolean = available("chromium", path !== undefined);
if (!hasChromium)
  console.warn(`skipped: no browser found (${names.join(", ")}). Install chromium, or set CHROMIUM to its path.`);

/** Its sandbox does not run as root, as in containers; the pages are ours. */
const args = ["--no-sandbox", "--disable-gpu"];
const options = () => ({
  executablePath: spawnSync("sh", ["-c", `command -v "${path}"`], { encoding: "utf8" }).stdout.trim(),
  args,
});

/** Starts the browser; its windows are private ones. The caller closes it. */
export const startChromium = (): Promise<Browser> => chromium.launch(options());

/** Starts the browser with a profile in a folder, and with cookies of other sites, which it blocks elsewhere. The caller closes it. */
export function startProfile(folder: string): Promise<BrowserContext> {
  mkdirSync(join(folder, "Default"));
  writeFileSync(join(folder, "Default/Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0 } }));
  return chromium.launchPersistentContext(folder, options());
}
