import { localActor } from "../../scripts/faults/actor.ts";
import { followers } from "../../scripts/faults/followers.ts";
import { openLab } from "../../scripts/faults/labs.ts";
import { pause, until } from "../../scripts/faults/report.ts";
import type { Login } from "../../scripts/faults/tokens.ts";
import type { Job } from "../jobs.ts";
import type { Effort, Ratio } from "../measure.ts";

const PROCESSES = 4;
/** Milliseconds within which 99 of 100 revocations should count everywhere. */
const WITHIN = 50;
/** Sessions that are asked about at a time: more would keep the processes busy with asking. */
const GROUP = 10;

/** From the moment a log-out is acknowledged to the first check that refuses, in milliseconds, for each process. */
async function delays(kind: "postgres" | "redis", groups: number): Promise<number[]> {
  const lab = await openLab(kind);
  const actor = localActor(lab.place);
  const all = await followers(lab.place, PROCESSES, { maxStaleness: 5, isBent: false });
  const found: number[] = [];
  for (let group = 0; group < groups; group++) {
    const sessions: Login[] = [];
    for (let each = 0; each < GROUP; each++)
      sessions.push((await actor.login(`effect-${group}-${each}`)).login as Login);
    for (const each of all) each.watch(Object.fromEntries(sessions.map(({ sid, access }) => [sid, access])));
    await until("good tokens", () => all.every((each) => sessions.every(({ sid }) => each.sightOf(sid).accepted)));
    const ended = new Map<string, number>();
    for (const { sid } of sessions) {
      await pause(10 + Math.random() * 40);
      if ((await actor.logout(sid)).code !== "ok") throw new Error("a log-out was refused");
      ended.set(sid, performance.timeOrigin + performance.now());
    }
    await until("refusals", () => all.every((each) => sessions.every(({ sid }) => each.sightOf(sid).refused)));
    for (const [sid, at] of ended) {
      for (const each of all) found.push(Math.max(0, (each.sightOf(sid).refused as number) - at));
    }
  }
  await Promise.all([...all.map((each) => each.close()), actor.close()]);
  await lab.close();
  return found.sort((a, b) => a - b);
}

async function measure(kind: "postgres" | "redis", { quick }: Effort): Promise<readonly Ratio[]> {
  const found = await delays(kind, quick ? 4 : 30);
  const figure = `replica: effect, ${kind}`;
  const at = (share: number): number => found[Math.min(found.length - 1, Math.floor(found.length * share))] as number;
  console.log(
    `${figure}: ${found.length} in ${PROCESSES} processes, median ${at(0.5).toFixed(1)} ms, 99 of 100 within ${at(0.99).toFixed(1)} ms, longest ${at(1).toFixed(1)} ms`,
  );
  const row = (ours: string, ms: number): Ratio => {
    const median = WITHIN / ms;
    const over = `${WITHIN} ms`;
    return { figure, ours, over, median, lower: median, upper: median, oursNs: ms * 1e6, overNs: WITHIN * 1e6 };
  };
  return [row("median", at(0.5)), { ...row("99 of 100", at(0.99)), target: 1 }];
}

/** How soon a log-out in one process counts in four others. */
export const effectJobs: readonly Job[] = (["redis", "postgres"] as const).map((kind) => ({
  name: `replica: effect over ${kind}`,
  measure: (effort) => measure(kind, effort),
}));
