/** Packs the library, installs it where nothing else is, and uses it there as its users will. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandSizes, commandWorks, namesWhatIsMissing, serves } from "./command.ts";
import {
  clientIsSmall,
  coreIsPure,
  declarationsAreFree,
  entries,
  holdsOnly,
  keepsErrorNames,
  loads,
  loadsJson,
  sizes,
} from "./entries.ts";
import { lend, manifest, pack, pinned, project, tool, workFolder } from "./project.ts";
import { logsIn, quickStart, serve } from "./quick-start.ts";
import { attempt, check, finish } from "./tally.ts";
import { NEEDS_PEERS, resolutions, TYPED_BY_FRAMEWORK, typechecks, writeConsumer } from "./types.ts";

const work = workFolder();
const NODE_TYPES = ["@types/node", "undici-types"];

async function onTarball(tarball: string): Promise<void> {
  await check("publint", () => tool("publint/src/cli.js", ["run", tarball, "--strict"], work));
  await check("attw", () =>
    tool("@arethetypeswrong/cli/dist/index.js", [tarball, "--profile", "esm-only", "--no-emoji", "-f", "ascii"], work),
  );
}

async function onBareInstall(tarball: string): Promise<void> {
  const folder = await project(work, "bare", tarball);
  const installed = join(folder, "node_modules", manifest.name);
  await check("the tarball holds the build and its papers, nothing else", () => holdsOnly(installed));
  for (const [entry] of entries.filter(([name]) => !NEEDS_PEERS.includes(name))) {
    await check(`${entry} loads by import and by require(), no framework installed`, () => loads(folder, entry));
  }
  for (const [entry, target] of Object.entries(manifest.exports)) {
    if (typeof target === "string") await check(`${entry} loads`, () => loadsJson(folder, entry));
  }
  await check("errors keep their names", () => keepsErrorNames(folder));
  const core = entries.find(([entry]) => entry === ".");
  await check("the core imports no third party and names no framework", () => coreIsPure(installed, core?.[1] ?? ""));
  const client = entries.find(([entry]) => entry === "./client");
  await check("the client is one file under 2 kB", () => clientIsSmall(installed, client?.[1] ?? ""));
  await check("no declaration imports a framework's types", () => declarationsAreFree(installed));
  lend(folder, NODE_TYPES);
  writeConsumer(folder, "consumer.ts", (entry) => ![...TYPED_BY_FRAMEWORK, ...NEEDS_PEERS].includes(entry));
  for (const resolution of resolutions) {
    await check(`types under ${resolution}, no framework installed`, () =>
      typechecks(folder, resolution, ["consumer.ts"]),
    );
  }
  await check("the command makes a secret and judges a token", () => commandWorks(folder));
  await check("the command names the packages that it lacks", () => namesWhatIsMissing(folder));
  await check("sizes", () => console.log(`${sizes(installed)}\n${commandSizes(installed)}`));
}

async function withFrameworkTypes(tarball: string): Promise<void> {
  const folder = await project(
    work,
    "typed",
    tarball,
    ["hono", "kysely", "@node-rs/argon2", "rate-limiter-flexible", "libsql", "pino"].map(pinned),
  );
  await check("the command serves, its packages installed", () => serves(folder));
  for (const entry of NEEDS_PEERS) {
    await check(`${entry} loads by import and by require(), its peers installed`, () => loads(folder, entry));
  }
  lend(folder, NODE_TYPES);
  writeConsumer(folder, "consumer.ts", () => true);
  // Bundler resolution brings the DOM's library along, which Hono's own declarations need.
  await check("types of all entries, Hono and all peers installed", () =>
    typechecks(folder, "bundler", ["consumer.ts"]),
  );
}

async function quickStartOf(tarball: string, framework: string): Promise<void> {
  const code = quickStart(framework);
  const folder = await project(work, framework, tarball, [pinned(framework), pinned(`@types/${framework}`)]);
  const file = "quick-start.ts";
  writeFileSync(join(folder, file), code);
  lend(folder, NODE_TYPES);
  await check(`quick start with ${framework}: type-checks`, () => typechecks(folder, "NodeNext", [file]));
  await check(`quick start with ${framework}: real requests`, () => serve(folder, file, logsIn));
}

try {
  const tarball = await check("builds and packs", () => pack(work));
  if (tarball !== undefined) {
    await attempt("tarball", () => onTarball(tarball));
    await attempt("bare install", () => onBareInstall(tarball));
    await attempt("framework types", () => withFrameworkTypes(tarball));
    await attempt("quick start", () => quickStartOf(tarball, "express"));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
finish();
