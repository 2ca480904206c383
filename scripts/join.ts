/**
 * Joins what tsc wrote for each entry of the package into few files: a hundred modules take three times as long to load.
 * What entries share stands in chunks, so that it exists once; the client, for browsers, is one file of its own. The
 * declarations stay as they are.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type BuildOptions, build } from "esbuild";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly engines: { readonly node: string };
}

const DIST = resolve("dist");
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const CLIENT = join(DIST, "client/index.js");
const entryPoints = Object.values(manifest.exports).flatMap((target) =>
  typeof target === "string" ? [] : [resolve(target.default)],
);

const common = { outbase: DIST, outdir: DIST, bundle: true, format: "esm", write: false } satisfies BuildOptions;
const built = await Promise.all([
  build({
    ...common,
    entryPoints: entryPoints.filter((path) => path !== CLIENT),
    splitting: true,
    platform: "node",
    target: `node${manifest.engines.node.replace(/[^\d.]/g, "")}`,
    packages: "external",
    chunkNames: "chunks/[hash]",
  }),
  build({ ...common, entryPoints: [CLIENT], platform: "neutral", target: "es2022" }),
]);

for (const name of readdirSync(DIST, { recursive: true, encoding: "utf8" })) {
  if (name.endsWith(".js")) rmSync(join(DIST, name));
}
for (const { path, contents } of built.flatMap(({ outputFiles }) => outputFiles)) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}
