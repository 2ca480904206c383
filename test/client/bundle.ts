import { join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "../support/house.ts";

/** The client as one script for browsers. */
export async function clientScript(entry = join(ROOT, "client/index.ts")): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}
