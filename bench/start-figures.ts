import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Job } from "./jobs.ts";
import { type Effort, type Ratio, ratioOf } from "./measure.ts";

/** The entries, and the function of each that an application calls with its manager; stores are only imported. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  "jwt-extended": [],
  "jwt-extended/express": ["expressJwt"],
  "jwt-extended/fastify": ["fastifyJwt"],
  "jwt-extended/hono": ["honoJwt"],
  "jwt-extended/koa": ["koaJwt"],
  "jwt-extended/node": ["nodeJwt"],
  "jwt-extended/web": ["webJwt"],
  "jwt-extended/sqlite": [],
  "jwt-extended/postgres": [],
  "jwt-extended/redis": [],
};
const PEERS = ["jose", "fast-jwt", "jsonwebtoken"];

interface Start {
  readonly nanoseconds: number;
  readonly bytes: number;
}

const CHILD = fileURLToPath(new URL("./start-child.js", import.meta.url));

/** Starts a process that imports one thing, and asks it what that took. */
async function start(what: string): Promise<Start> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, what, ...(ENTRIES[what] ?? [])]);
  return JSON.parse(stdout) as Start;
}

async function measure(entry: string, { quick }: Effort): Promise<readonly Ratio[]> {
  if (!existsSync("dist/index.js")) throw new Error("the package is measured as it ships: npm run build comes first");
  const isCore = entry === "jwt-extended";
  const peers = isCore ? PEERS : PEERS.slice(0, 2);
  const starts = new Map([entry, ...peers].map((what): [string, Start[]] => [what, []]));
  // The first round warms the disk's cache and does not count.
  for (let round = 0; round <= (quick ? 5 : 15); round++) {
    for (const [what, row] of starts) {
      const took = await start(what);
      if (round > 0) row.push(took);
    }
  }
  const of = (what: string): Start[] => starts.get(what) ?? [];
  const times = (what: string): number[] => of(what).map((each) => each.nanoseconds);
  const memory = (what: string): number => {
    const sorted = of(what)
      .map((each) => each.bytes)
      .sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  };
  return peers.map((peer) => ({
    ...ratioOf(
      { figure: "start", ours: `${entry} and a manager`, over: `importing ${peer}` },
      times(entry),
      times(peer),
    ),
    memory: [memory(entry), memory(peer)],
    target: isCore && peer === "jose" ? 1 : undefined,
  }));
}

export const jobs: readonly Job[] = Object.keys(ENTRIES).map((entry) => ({
  name: `start ${entry}`,
  measure: (effort) => measure(entry, effort),
}));
