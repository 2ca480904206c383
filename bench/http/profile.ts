import { type Profiler, Session } from "node:inspector";

/** Whose code a moment of CPU time was spent in, or for. */
export const PARTS = ["finding", "verifying", "store", "handing on", "garbage", "rest"] as const;
export type Part = (typeof PARTS)[number];

/** CPU samples of each part. */
export type Shares = Readonly<Record<Part, number>>;

/** The rooms of the library, by what they do for a request. */
const ROOMS: Readonly<Record<string, Part>> = {
  guard: "finding",
  locations: "finding",
  http: "finding",
  token: "verifying",
  crypto: "verifying",
  internal: "verifying",
  sessions: "store",
  stores: "store",
};

/** The part of a frame; `undefined` where that depends on who called it: natives, and what Node itself is made of. */
function partOf({ functionName, url }: Profiler.ProfileNode["callFrame"]): Part | "idle" | undefined {
  if (functionName === "(idle)") return "idle";
  if (functionName === "(garbage collector)") return "garbage";
  const room = /\/src\/(\w+)/.exec(url)?.[1];
  if (room !== undefined) return ROOMS[room] ?? "handing on";
  return url.startsWith("file:") || url.includes("/node_modules/") ? "rest" : undefined;
}

/** Adds up a profile: each sample belongs to the innermost frame that is somebody's. */
function shares({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owners = new Map<number, Part | "idle">();
  const visit = (id: number, above: Part | "idle"): void => {
    const node = byId.get(id) as Profiler.ProfileNode;
    const owner = partOf(node.callFrame) ?? above;
    owners.set(id, owner);
    for (const child of node.children ?? []) visit(child, owner);
  };
  visit((nodes[0] as Profiler.ProfileNode).id, "rest");
  const found: Record<Part | "idle", number> = {
    ...(Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>),
    idle: 0,
  };
  for (const [at, id] of samples.entries()) found[owners.get(id) ?? "rest"] += timeDeltas[at] ?? 0;
  const { idle: _, ...busy } = found;
  return busy;
}

/** Microseconds between two samples. */
const INTERVAL = 200;

/** Profiles this process from now on. The function it gives ends that. */
export function startProfile(): () => Promise<Shares> {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: INTERVAL });
  session.post("Profiler.start");
  return () =>
    new Promise((resolve, reject) => {
      session.post("Profiler.stop", (error, { profile } = {} as Profiler.StopReturnType) => {
        session.disconnect();
        if (error) reject(error);
        else resolve(shares(profile));
      });
    });
}
