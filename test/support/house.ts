import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow, type Import, importsOf, type Masked, mask, readText } from "./source.ts";

/** The folder of the package. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** Which room stands on which floor; a room imports strictly downward or inside itself. `index` is the core's list of public names. */
export const FLOORS: Readonly<Record<string, number>> = {
  errors: 0,
  events: 0,
  types: 0,
  internal: 0,
  crypto: 1,
  stores: 1,
  http: 1,
  config: 2,
  metrics: 2,
  token: 3,
  keys: 3,
  locations: 3,
  sessions: 3,
  context: 3,
  guard: 4,
  issue: 4,
  manager: 5,
  routes: 6,
  index: 6.5,
  adapters: 7,
  accounts: 7,
  testing: 7,
  "auth-server": 8,
  cli: 9,
};

/** Folders and files that may load `node:` modules; the rest takes their types at most. */
export const NODE_ROOMS =
  /^(crypto|context|stores|accounts|testing|auth-server|cli)\/|^adapters\/(express|fastify|koa|node|node-[\w-]+)\.ts$/;

export const FRAMEWORKS = /^(express|fastify|hono|koa|@nestjs|@fastify|@hono|@koa)(\/|$|-)/;

/** Other packages, and the one part of the source that may name each. Everything else is free of third parties. */
export const PEERS: readonly (readonly [packages: RegExp, part: RegExp])[] = [
  [/^kysely$/, /^(stores|accounts)\/sql\//],
  [/^(redis|ioredis)$/, /^stores\/redis/],
  [/^jose$/, /^token\/jwe/],
  [/^(@node-rs\/argon2|rate-limiter-flexible)$/, /^accounts\//],
  [/^(libsql|pg|mysql2\/promise|ioredis|pino)$/, /^auth-server\//],
];

/** One file of `src`, by its path below it. */
export interface SourceFile extends Masked {
  readonly path: string;
  readonly room: string;
  readonly lines: number;
  readonly imports: readonly (Import & { readonly target: string | undefined })[];
}

export const roomOf = (path: string): string => (path.split("/")[0] ?? "").replace(/\.ts$/, "");

function sourceFile(root: string, path: string): SourceFile {
  const text = readText(join(root, path));
  const imports = importsOf(text).map((found) => ({
    ...found,
    target: /^\.{1,2}\//.test(found.specifier) ? relative(root, join(root, dirname(path), found.specifier)) : undefined,
  }));
  return { path, room: roomOf(path), lines: text.split("\n").length - 1, imports, ...mask(text) };
}

/** Every TypeScript file below a folder, none if there is no such folder. */
export function sourceFiles(root: string = join(ROOT, "src")): SourceFile[] {
  if (!existsSync(root)) return [];
  return filesBelow(root, (path) => /\.[cm]?tsx?$/.test(path)).map((path) => sourceFile(root, path));
}

const NOTHING = "internal imports nothing from elsewhere";

/** What is wrong with one import, or nothing. Rules of layering only; cycles are looked for elsewhere. */
export function importFault(file: SourceFile, found: SourceFile["imports"][number]): string | undefined {
  if (found.target === undefined) return packageFault(file, found);
  if (!/\.ts$/.test(found.specifier)) return "a relative import names its file with the ending .ts";
  if (found.target === `${file.room}/index.ts`) return "a room does not import its own index";
  const room = roomOf(found.target);
  if (room !== file.room) {
    if (file.room === "internal") return NOTHING;
    const [from, to] = [FLOORS[file.room], FLOORS[room]];
    if (from === undefined || to === undefined) return "the room has no floor";
    if (to >= from && !(from === 0 && to === 0)) return `floor ${to} is not below floor ${from}`;
  }
  return existsSync(join(ROOT, "src", found.target)) ? undefined : "there is no such file in src";
}

function packageFault(file: SourceFile, { specifier, typeOnly }: Import): string | undefined {
  if (file.room === "internal") return NOTHING;
  if (specifier.startsWith("node:")) {
    return typeOnly || NODE_ROOMS.test(file.path) ? undefined : "node: modules are loaded in other rooms";
  }
  if (FRAMEWORKS.test(specifier)) {
    const name = specifier.replace(/^@/, "").replace(/^nestjs/, "nest");
    const own = new RegExp(`^adapters/${name.split(/[/-]/)[0]}\\b`).test(file.path);
    if (!own) return "a framework is named in the adapter of that name only";
    return typeOnly || name.startsWith("nest") ? undefined : "an adapter takes the types of its framework only";
  }
  const allowed = PEERS.some(([packages, part]) => packages.test(specifier) && part.test(file.path));
  return allowed ? undefined : "no third party is imported here";
}

/** The loops that remain in a graph, each as the path around it, starting at its first file. */
export function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const found = new Set<string>();
  const visit = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node);
    if (start >= 0) {
      const loop = path.slice(start);
      const first = loop.indexOf([...loop].sort()[0] ?? node);
      const turned = [...loop.slice(first), ...loop.slice(0, first)];
      found.add([...turned, turned[0]].join(" > "));
      return;
    }
    if (done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return [...found].sort();
}
