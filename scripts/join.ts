/**
 * Joins what tsc wrote for each entry of the package into few files: a hundred modules take three times as long to load.
 * What entries share stands in chunks, so that it exists once; the command has chunks of its own, so that it changes nothing
 * in theirs; the client, for browsers, is one file. The declarations, and the console that vite built, stay as they are.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { type BuildOptions, build } from "esbuild";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
}

const DIST = resolve("dist");
const CONSOLE = `console${sep}`;
if (!existsSync(join(DIST, CONSOLE, "index.html"))) {
  throw new Error("dist/console/index.html is missing: build the console first, with `vite build console`");
}
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const CLIENT = join(DIST, "client/index.js");
const commands = Object.values(manifest.bin).map((path) => resolve(path));
const entryPoints = Object.values(manifest.exports).flatMap((target) =>
  typeof target === "string" ? [] : [resolve(target.default)],
);

const common = { outbase: DIST, outdir: DIST, bundle: true, format: "esm", write: false } satisfies BuildOptions;
const forNode = {
  ...common,
  splitting: true,
  platform: "node",
  target: `node${manifest.engines.node.replace(/[^\d.]/g, "")}`,
  packages: "external",
} satisfies BuildOptions;
const built = await Promise.all([
  build({ ...forNode, entryPoints: entryPoints.filter((path) => path !== CLIENT), chunkNames: "chunks/[hash]" }),
  // Beside the command: what it loads finds the console at the same distance as its source does.
  build({ ...forNode, entryPoints: commands, chunkNames: "cli/[hash]" }),
  build({ ...common, entryPoints: [CLIENT], platform: "neutral", target: "es2022" }),
]);

for (const name of readdirSync(DIST, { recursive: true, encoding: "utf8" })) {
  if (name.endsWith(".js") && !name.startsWith(CONSOLE)) rmSync(join(DIST, name));
}
for (const { path, contents } of built.flatMap(({ outputFiles }) => outputFiles)) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}
for (const path of commands) chmodSync(path, 0o755);
