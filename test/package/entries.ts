import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { clientScript } from "../client/bundle.ts";
import { FRAMEWORKS } from "../support/house.ts";
import { filesBelow, importsOf, lineOf, mask, readText } from "../support/source.ts";
import { manifest, run } from "./project.ts";
import { none, same } from "./tally.ts";

/** The entries that hold code, as `.` or `./name` with the path of their script. */
export const entries: readonly (readonly [name: string, script: string])[] = Object.entries(manifest.exports).flatMap(
  ([name, target]) => (typeof target === "string" ? [] : [[name, target.default] as const]),
);

export const specifierOf = (entry: string): string => manifest.name + entry.slice(1);

/** Loads an entry in a process of its own and answers the names it exports. */
async function names(folder: string, how: "import" | "require", specifier: string): Promise<string[]> {
  const text = JSON.stringify(specifier);
  const load = how === "import" ? `await import(${text})` : `require(${text})`;
  const type = how === "import" ? "module" : "commonjs";
  const script = `console.log(JSON.stringify(Object.keys(${load})))`;
  return JSON.parse(await run(process.execPath, [`--input-type=${type}`, "-e", script], folder)) as string[];
}

/** Loads an entry both ways; both must give the same names, and some. */
export async function loads(folder: string, entry: string): Promise<void> {
  const marks = new Set(["default", "__esModule", "module.exports"]);
  const imported = await names(folder, "import", specifierOf(entry));
  const required = await names(folder, "require", specifierOf(entry));
  const own = (list: readonly string[]): string[] => list.filter((name) => !marks.has(name)).sort();
  if (own(imported).length === 0) throw new Error("exports nothing");
  same(own(required), own(imported), "what require() gives");
}

/** Errors are told apart by their names in logs, which joining the files must not change. */
export async function keepsErrorNames(folder: string): Promise<void> {
  const script = `const all = Object.entries(await import(${JSON.stringify(manifest.name)}));
    const errors = all.filter(([name, value]) => /Error$/.test(name) && /^class/.test(String(value)));
    console.log(JSON.stringify(errors.map(([name, value]) => [name, value.name])));`;
  const pairs = JSON.parse(await run(process.execPath, ["--input-type=module", "-e", script], folder)) as string[][];
  if (pairs.length < 10) throw new Error("the errors are not exported as classes");
  none(pairs.filter(([name, own]) => name !== own).map(([name, own]) => `${name} calls itself ${own}`));
}

/** `./package.json` and other plain files, both ways. */
export async function loadsJson(folder: string, entry: string): Promise<void> {
  const text = JSON.stringify(specifierOf(entry));
  const script = `console.log(require(${text}).name, (await import(${text}, { with: { type: "json" } })).default.name)`;
  const head = `import { createRequire } from "node:module"; const require = createRequire(process.cwd() + "/x.js");`;
  const printed = await run(process.execPath, ["--no-warnings", "--input-type=module", "-e", head + script], folder);
  same(printed.trim(), `${manifest.name} ${manifest.name}`, "the name in it");
}

/** The scripts an entry reaches inside the package, and the modules it asks of others. */
export function reach(installed: string, script: string): { files: string[]; foreign: string[] } {
  const files = new Set<string>();
  const foreign = new Set<string>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    if (!existsSync(path)) throw new Error(`${relative(installed, path)} is imported, but not in the package`);
    files.add(path);
    for (const { specifier } of importsOf(readText(path))) {
      if (specifier.startsWith(".")) visit(join(dirname(path), specifier));
      else foreign.add(specifier);
    }
  };
  visit(join(installed, script));
  return { files: [...files], foreign: [...foreign].sort() };
}

/** The core asks for nothing but `node:` modules and names no framework in its code. */
export function coreIsPure(installed: string, script: string): void {
  const { files, foreign } = reach(installed, script);
  const faults = foreign.filter((name) => !name.startsWith("node:")).map((name) => `imports ${name}`);
  for (const path of files) {
    const { code } = mask(readText(path));
    for (const { index, 0: name } of code.matchAll(/\b(express|fastify|hono|koa|nestjs)\b/gi)) {
      faults.push(`${relative(installed, path)}:${lineOf(code, index)} names ${name}`);
    }
  }
  none(faults);
}

/** The client is one file that asks for nothing, small enough for every page. */
export async function clientIsSmall(installed: string, script: string): Promise<void> {
  const { files, foreign } = reach(installed, script);
  same([files.length, foreign], [1, []], "what the client is made of");
  const minified = await clientScript(join(installed, script));
  const zipped = gzipSync(minified, { level: 9 }).length;
  console.log(`client: ${minified.length} bytes minified, ${zipped} with gzip`);
  if (zipped >= 2000) throw new Error("it is not under 2 kB");
}

/** No declaration imports a framework's types, but Hono's and Nest's own. */
export function declarationsAreFree(installed: string): void {
  none(
    filesBelow(installed, (path) => path.endsWith(".d.ts")).flatMap((path) =>
      importsOf(readText(join(installed, path)))
        .filter(({ specifier }) => FRAMEWORKS.test(specifier) && !/\/(hono|nest)\.d\.ts$/.test(path))
        .map(({ specifier, line }) => `${path}:${line} imports ${specifier}`),
    ),
  );
}

/** The tarball holds what is used at run time, and its papers. */
export function holdsOnly(installed: string): void {
  const papers = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/;
  const all = filesBelow(installed, () => true);
  const missing = ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"].filter(
    (name) => !all.includes(name),
  );
  const build =
    /^dist\/console\/.*\.(html|css|js|svg)$|^dist\/(?!console\/|(cli|auth-server)\/.*\.d\.ts$).*\.(js|d\.ts)$/;
  const odd = all.filter((path) => !papers.test(path) && !build.test(path));
  none([...missing.map((name) => `${name} is missing`), ...odd.map((path) => `${path} has no place in it`)]);
}

/** Bytes of all scripts that each entry reaches, raw and as gzip. */
export function sizes(installed: string): string {
  const rows = entries.map(([name, script]) => {
    const { files } = reach(installed, script);
    const text = files.map(readText).join("");
    const [raw, zipped] = [Buffer.byteLength(text), gzipSync(text).length];
    return `${name.padEnd(16)}${String(files.length).padStart(6)}${String(raw).padStart(10)}${String(zipped).padStart(10)}`;
  });
  return `${"entry".padEnd(16)} files     bytes      gzip\n${rows.join("\n")}`;
}
