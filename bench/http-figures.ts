import { leaveServersAlone, type ServerProcess, startServer } from "./http/processes.ts";
import { EMPTY, type Framework, OURS, PEERS } from "./http/site.ts";
import type { Job } from "./jobs.ts";
import { type Effort, type Ratio, ratioOf } from "./measure.ts";

/** What a protected route must reach of an open one, with the cache of verified tokens and without. */
const TARGETS: Readonly<Record<Framework, readonly [cached: number | undefined, uncached: number | undefined]>> = {
  express: [0.96, 0.9],
  fastify: [0.93, 0.85],
  hono: [0.93, 0.78],
  koa: [0.96, 0.85],
  node: [undefined, undefined],
  web: [undefined, undefined],
};
const COOKIES_TARGET = 0.93;

type Route = keyof ServerProcess["requests"];
/** Costs of a request, one of each round. */
type Costs = Readonly<Record<Route, number[]>>;

async function measure(framework: Framework, { quick }: Effort): Promise<readonly Ratio[]> {
  const pinned = leaveServersAlone();
  if (!pinned) console.log(`http, ${framework}: taskset or a second core is missing, server and load share the cores`);
  // A request of Express takes some five times as long, and a slice must not hang on whether one collection of garbage falls into it.
  const long = framework === "express" ? 3 : 1;
  const [slice, rounds, warmth] = quick ? [60, 6, 4000] : [70 * long, 40, 20_000];
  // Where there is no framework, there is no middleware either.
  const floor = framework === "node" || framework === "web" ? [] : [EMPTY];
  const variants = [...Object.values(OURS), ...floor, ...PEERS[framework]];
  // One process each: middlewares change the process they run in. All wait while one of them works.
  const servers = await Promise.all(variants.map((variant) => startServer(framework, variant, pinned)));
  try {
    const turns = servers.flatMap((server) => {
      const routes = (["open", "protected", "cookie"] as const).filter((route) => server.requests[route].length > 0);
      return [{ server, routes, costs: { open: [], protected: [], cookie: [] } as Costs }];
    });
    for (const { server, routes } of turns)
      for (const route of routes) await server.warmUp(server.requests[route], warmth);
    for (let round = 0; round < rounds; round++) {
      for (const { server, routes, costs } of turns) {
        for (const route of round % 2 === 0 ? routes : [...routes].reverse()) {
          costs[route].push(await server.cost(server.requests[route], slice));
        }
      }
    }
    return results(framework, new Map(turns.map(({ server, costs }) => [server.variant, costs])));
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

function results(framework: Framework, costs: ReadonlyMap<string, Costs>): Ratio[] {
  const figure = `http, ${framework}`;
  const of = (variant: string): Costs => costs.get(variant) as Costs;
  const ours = Object.values<string>(OURS);
  const [cached, uncached] = TARGETS[framework];
  const targets: Readonly<Record<string, number | undefined>> = { [OURS.plain]: cached, [OURS.uncached]: uncached };
  const rows = [...costs].map(([variant, { open, protected: guarded }]) => {
    const name = ours.includes(variant) ? `ours, ${variant}` : variant;
    // AsyncLocalStorage makes the open routes of its process slower, too, so that one is held against another process.
    const [base, over] =
      variant === OURS.ambient ? [of(OURS.plain).open, "open, without ambientContext"] : [open, "open"];
    if (variant === OURS.cookies) return ratioOf({ figure, ours: "ours, POST, header", over }, guarded, base);
    return { ...ratioOf({ figure, ours: name, over }, guarded, base), target: targets[variant] };
  });
  const names = { figure, ours: "open, with ambientContext", over: "open, without" };
  const { open, protected: inHeader, cookie } = of(OURS.cookies);
  return [
    ...rows,
    ratioOf(names, of(OURS.ambient).open, of(OURS.plain).open),
    ratioOf({ figure, ours: "ours, POST, cookie and CSRF value", over: "open" }, cookie, open),
    {
      ...ratioOf({ figure, ours: "ours, POST, cookie and CSRF value", over: "ours, POST, header" }, cookie, inHeader),
      target: COOKIES_TARGET,
    },
  ];
}

export const jobs: readonly Job[] = (Object.keys(PEERS) as Framework[]).map((framework) => ({
  name: `http, ${framework}`,
  measure: (effort) => measure(framework, effort),
}));
