import { leaveServersAlone, startServer } from "./http/processes.ts";
import { PARTS, type Shares } from "./http/profile.ts";
import { type Framework, OURS, PEERS } from "./http/site.ts";
import type { Job } from "./jobs.ts";
import { type Effort, type Ratio, ratioOf } from "./measure.ts";

const total = (shares: Shares): number => PARTS.reduce((sum, part) => sum + shares[part], 0);

/** Where a protected route spends its CPU time: the share of each part, of several processes. */
async function measure(framework: Framework, { quick }: Effort): Promise<readonly Ratio[]> {
  const pinned = leaveServersAlone();
  const [rounds, milliseconds, warmth] = quick ? [1, 500, 4000] : [5, 1500, 20_000];
  const ratios: Ratio[] = [];
  for (const variant of [OURS.plain, OURS.uncached, OURS.cookies]) {
    const found: Shares[] = [];
    for (let round = 0; round < rounds; round++) {
      const server = await startServer(framework, variant, pinned);
      try {
        const requests = variant === OURS.cookies ? server.requests.cookie : server.requests.protected;
        await server.warmUp(requests, warmth);
        found.push(await server.profile(requests, milliseconds));
      } finally {
        await server.close();
      }
    }
    const figure = `profile, ${framework}: ${variant}`;
    for (const part of PARTS) {
      const parts = found.map((shares) => shares[part]);
      ratios.push(ratioOf({ figure, ours: "the request", over: part }, found.map(total), parts));
    }
  }
  return ratios;
}

export const jobs: readonly Job[] = (Object.keys(PEERS) as Framework[]).map((framework) => ({
  name: `profile, ${framework}`,
  measure: (effort) => measure(framework, effort),
}));
