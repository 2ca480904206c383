import { localActor } from "./actor.ts";
import { type Hand, hire } from "./crew.ts";
import type { Lab } from "./labs.ts";
import type { Place } from "./places.ts";
import { startProxy } from "./proxy.ts";
import { type Effort, type Finding, pause, until } from "./report.ts";
import type { Server } from "./servers.ts";
import type { Login } from "./tokens.ts";

const TOKENS = 50;
/** Milliseconds within which a store that is back must be in use again. */
const RECOVERY = 2_000;
const HEAP_GROWTH = 8 * 1024 * 1024;

interface Outage {
  readonly name: string;
  begin(): Promise<unknown> | unknown;
  /** Resolves when the store itself is there again. */
  end(): Promise<unknown> | unknown;
  /** Everybody is logged out by it: good tokens of before stay refused. */
  readonly forgets?: boolean;
}

/** The store stopped, hung, slow, read-only and emptied while a process checks, logs in and logs out without pause. */
export async function outage({ place, server }: Lab, effort: Effort): Promise<readonly Finding[]> {
  if (!server || place.kind === "memory" || place.kind === "sqlite") return [];
  const proxy = server.line ?? (await startProxy(server.port));
  const through: Place = { ...place, port: proxy.port };
  const outages: readonly Outage[] = [
    { name: "stopped", begin: () => server.kill(), end: () => server.start() },
    { name: "hung", begin: () => server.hang(), end: () => server.resume() },
    ...[150, 750].map((late) => ({
      name: `slow, ${2 * late} ms`,
      begin: () => proxy.delay(late),
      // What is on its way then still takes as long.
      end: () => {
        proxy.delay(0);
        return pause(2 * late);
      },
    })),
    { name: "cut off", begin: () => proxy.cut(), end: () => proxy.mend() },
    { name: "read-only", begin: () => server.readOnly(true), end: () => server.readOnly(false) },
    { name: "emptied", begin: () => server.empty(), end: () => {}, forgets: true },
  ];
  const findings: Finding[] = [];
  for (const each of outages) findings.push(await suffer(through, each, effort));
  findings.push(await lasting(through, server, effort));
  proxy.close();
  return findings;
}

/** Logs in, ends half of the sessions, and starts the load in a process of its own. */
async function begin(place: Place): Promise<Hand> {
  const actor = localActor(place);
  const tokens: string[][] = [[], []];
  for (let each = 0; each < 2 * TOKENS; each++) {
    const login = (await actor.login(`outage-${each}`)).login as Login;
    if (each % 2 === 1) await actor.logout(login.sid);
    tokens[each % 2]?.push(login.access);
  }
  await actor.close();
  const hand = await hire(place);
  await hand.load(tokens[0] as string[], tokens[1] as string[]);
  await until("the load", async () => (await hand.stats(false)).workedAt !== undefined);
  return hand;
}

async function suffer(
  place: Place,
  { name, begin: breakIt, end, forgets }: Outage,
  { quick }: Effort,
): Promise<Finding> {
  const hand = await begin(place);
  await pause(300);
  const before = await hand.stats(true);
  await breakIt();
  await pause(quick ? 1_200 : 2_500);
  await end();
  const back = Date.now();
  await hand.stats(true);
  let workedAt: number | undefined;
  const works = async (): Promise<boolean> => {
    workedAt = (await hand.stats(false)).workedAt;
    return workedAt !== undefined;
  };
  await until("recovery", works, 20_000).catch(() => {});
  await pause(300);
  await hand.halt();
  await pause(200);
  const after = await hand.stats(false);
  await hand.close();
  const took = workedAt === undefined ? Number.POSITIVE_INFINITY : workedAt - back;
  const grown = after.heap - before.heap;
  const good = after.accepted === 0 && took <= RECOVERY && after.unhandled === 0 && grown < HEAP_GROWTH;
  const text = [
    `${after.checks} checks, ${after.accepted} revoked accepted`,
    `good tokens: ${after.live}${forgets ? " (all logged out)" : ""}`,
    `${after.logouts} logouts`,
    `back after ${took} ms (a round took ${before.round.toFixed()} ms before)`,
    `${after.unhandled} unhandled`,
    `heap ${grown < 0 ? "" : "+"}${(grown / 1024 / 1024).toFixed(1)} MB`,
  ].join("; ");
  return { experiment: `outage, ${name}`, store: place.kind, text, good };
}

/** A store that hangs for long: what waits for it must not pile up. */
async function lasting(place: Place, server: Server, { quick }: Effort): Promise<Finding> {
  const hand = await begin(place);
  server.hang();
  await pause(1_500);
  const first = await hand.stats(true);
  await pause(quick ? 3_000 : 10_000);
  const last = await hand.stats(true);
  server.resume();
  await until("recovery", async () => (await hand.stats(false)).workedAt !== undefined, 20_000).catch(() => {});
  await hand.halt();
  const after = await hand.stats(false);
  await hand.close();
  const grown = last.heap - first.heap;
  const good = after.accepted === 0 && grown < HEAP_GROWTH && after.unhandled === 0 && after.workedAt !== undefined;
  const text = `${last.unavailable - first.unavailable} checks answered 503 meanwhile, heap +${(grown / 1024 / 1024).toFixed(1)} MB; ${after.accepted} revoked accepted`;
  return { experiment: "outage, hung for long", store: place.kind, text, good };
}
