import { replicatedStore } from "../../src/index.ts";
import { type Actor, localActor } from "./actor.ts";
import { type Follower, followers } from "./followers.ts";
import type { Lab } from "./labs.ts";
import { openStore, type Place } from "./places.ts";
import { stopped } from "./processes.ts";
import { startProxy } from "./proxy.ts";
import { startRedis } from "./redis-server.ts";
import { type Effort, type Finding, pause, rounds, until } from "./report.ts";
import type { Login } from "./tokens.ts";

const PROCESSES = 4;
/** Seconds: the bound of the copies. */
const BOUND = 2;
/** Milliseconds by which clocks of processes on one machine, read one after the other, may seem to differ. */
const BLUR = 20;
/** Milliseconds within which a copy must be relied on again: a new snapshot may be put off for five seconds. */
const RECOVERY = 12_000;
const SESSIONS = 24;

interface Trouble {
  readonly name: string;
  /** Ends sessions while it lasts, and not just before it. */
  readonly isDuring: boolean;
  begin(): Promise<unknown> | unknown;
  end(): Promise<unknown> | unknown;
  /** Logs everybody out by itself. */
  readonly forgets?: boolean;
}

/** Copies of the revocations in four processes, while the store, the way to it and the processes are ill-treated. */
export async function replica(lab: Lab, effort: Effort): Promise<readonly Finding[]> {
  const { place, server } = lab;
  if (!server || place.kind === "memory" || place.kind === "sqlite") return [];
  const proxy = await startProxy(server.port);
  const through: Place = { ...place, port: proxy.port };
  const findings: Finding[] = [];
  const nothing = (): void => {};
  const troubles: readonly Trouble[] = [
    { name: "no trouble", isDuring: true, begin: nothing, end: nothing },
    { name: "cut off", isDuring: true, begin: () => proxy.lead(1), end: () => proxy.lead(server.port) },
    { name: "slow, 1.2 s", isDuring: true, begin: () => proxy.delay(600), end: () => proxy.delay(0) },
    { name: "stopped", isDuring: false, begin: () => server.kill(), end: () => server.start() },
    { name: "hung", isDuring: false, begin: () => server.hang(), end: () => server.resume() },
    { name: "read-only", isDuring: false, begin: () => server.readOnly(true), end: () => server.readOnly(false) },
    { name: "emptied", isDuring: false, begin: () => server.empty(), end: nothing, forgets: true },
  ];
  for (const trouble of troubles) findings.push(await suffer(place, through, trouble, false, effort));
  const bent: Trouble = { name: "feed cut, repeated, turned around", isDuring: true, begin: nothing, end: nothing };
  findings.push(await suffer(place, through, bent, true, effort));
  findings.push(await suspended(place, effort));
  findings.push(await mistaken(lab));
  if (place.kind === "redis") findings.push(await promoted(effort));
  proxy.close();
  return findings;
}

async function logins(actor: Actor, name: string, count: number): Promise<readonly Login[]> {
  const all: Login[] = [];
  for (let each = 0; each < count; each++) all.push((await actor.login(`${name}-${each}`)).login as Login);
  return all;
}

/** Lets every follower see that the tokens are good. */
async function shown(all: readonly Follower[], sessions: readonly Login[]): Promise<void> {
  const tokens = Object.fromEntries(sessions.map(({ sid, access }) => [sid, access]));
  for (const each of all) each.watch(tokens);
  const isSeen = (each: Follower): boolean => sessions.every(({ sid }) => each.sightOf(sid).accepted !== undefined);
  await until("good tokens", () => all.every(isSeen));
}

/** Ends sessions, each in its turn, and notes when that was acknowledged. */
async function endAll(actor: Actor, sessions: readonly Login[]): Promise<ReadonlyMap<string, number>> {
  const ended = new Map<string, number>();
  for (const { sid } of sessions) {
    // A busy machine, or a row that a process in trouble still holds, may need a second try.
    await until("a log-out", async () => (await actor.logout(sid)).code === "ok", 20_000);
    ended.set(sid, performance.timeOrigin + performance.now());
    await pause(10);
  }
  return ended;
}

/** The longest that any follower let in what was ended, and how it went beside that, in words. */
function outcome(
  all: readonly Follower[],
  ended: ReadonlyMap<string, number>,
): { worst: number; text: string; good: boolean } {
  let [worst, refused] = [0, 0];
  for (const [sid, at] of ended) {
    for (const each of all) {
      const sight = each.sightOf(sid);
      worst = Math.max(worst, (sight.accepted ?? 0) - at);
      if (sight.refused !== undefined) refused++;
    }
  }
  const sum = (of: (follower: Follower) => number): number => all.reduce((total, each) => total + of(each), 0);
  const unhandled = sum(({ seen }) => seen.unhandled);
  const text = [
    `${ended.size} ended × ${all.length} processes, longest let in ${Math.round(worst)} ms after`,
    `refused ${refused} of ${ended.size * all.length}`,
    `${sum(({ seen }) => seen.unavailable)} checks 503`,
    `${sum(({ seen }) => seen.asked)} questions`,
    `${sum(({ seen }) => seen.resyncs)} snapshots anew`,
  ].join("; ");
  const good = worst <= BOUND * 1000 + BLUR && refused === ended.size * all.length && unhandled === 0;
  return { worst, text, good };
}

async function suffer(
  place: Place,
  through: Place,
  { name, isDuring, begin, end, forgets }: Trouble,
  isBent: boolean,
  effort: Effort,
): Promise<Finding> {
  const actor = localActor(place);
  const all = await followers(through, PROCESSES, { maxStaleness: BOUND, isBent });
  const sessions = await logins(actor, `replica-${name}`, rounds(SESSIONS, effort));
  await shown(all, sessions);
  let ended = new Map<string, number>() as ReadonlyMap<string, number>;
  if (!isDuring && !forgets) ended = await endAll(actor, sessions);
  await begin();
  if (isDuring) ended = await endAll(actor, sessions);
  if (forgets) ended = new Map(sessions.map(({ sid }) => [sid, performance.timeOrigin + performance.now()]));
  await pause(BOUND * 1000 + 1_500);
  await end();
  const since = performance.now();
  await until("recovery", () => all.every(({ seen }) => seen.isFresh), RECOVERY * 2).catch(() => {});
  const took = performance.now() - since;
  await pause(500);
  const { text, good } = outcome(all, ended);
  await Promise.all([...all.map((each) => each.close()), actor.close()]);
  return {
    experiment: `replica, ${name}`,
    store: place.kind,
    text: `${text}; relied on again after ${Math.round(took)} ms`,
    good: good && (isBent || took <= RECOVERY),
  };
}

/** A process that is stopped while others end sessions: what it knew is too old when it goes on. */
async function suspended(place: Place, effort: Effort): Promise<Finding> {
  const actor = localActor(place);
  const all = await followers(place, 2, { maxStaleness: BOUND, isBent: false });
  const sessions = await logins(actor, "replica-suspended", rounds(SESSIONS, effort));
  await shown(all, sessions);
  // The first check of a session notes its use, and a process stopped within a transaction keeps its row locked.
  await pause(500);
  const [held] = all as [Follower];
  held.child.kill("SIGSTOP");
  await stopped(held.child);
  const ended = await endAll(actor, sessions);
  await pause(BOUND * 1000 + 500);
  held.child.kill("SIGCONT");
  await pause(2_000);
  const { text, good } = outcome(all, ended);
  await Promise.all([...all.map((each) => each.close()), actor.close()]);
  return { experiment: "replica, process suspended", store: place.kind, text, good };
}

/** A read replica given by mistake: it is never relied on, and whoever waits for it is told. */
async function mistaken({ place, server }: Lab): Promise<Finding> {
  let port = server?.port as number;
  const other = place.kind === "redis" ? await startRedis() : undefined;
  if (other) {
    await other.command("REPLICAOF", "127.0.0.1", String(port));
    port = other.port;
    await pause(1_500);
  } else await server?.readOnly(true);
  const { store, close } = openStore({ ...place, port } as Place);
  const copy = replicatedStore(store, { maxStaleness: BOUND });
  const told: string[] = [];
  copy.listen?.((notice, detail) => told.push(`${notice}: ${detail}`));
  const ready = copy.ready().then(
    () => "ready",
    (error: Error) => error.constructor.name,
  );
  const said = await Promise.race([ready, pause(6_000).then(() => "waits")]);
  copy.close();
  await close();
  await (other ? other.close() : server?.readOnly(false));
  const good = said !== "ready" && told.length === 1 && /replica/.test(told[0]?.replace("replicaBehind", "") ?? "");
  return {
    experiment: "replica, of a read replica",
    store: place.kind,
    text: `${said}; ${told.join("; ").replaceAll(/\s+/g, " ")}`,
    good,
  };
}

/** A Redis replica that lags is promoted: numbers of the feed are given a second time. */
async function promoted(effort: Effort): Promise<Finding> {
  const [primary, second] = [await startRedis(), await startRedis()];
  const line = await startProxy(primary.port);
  await second.command("REPLICAOF", "127.0.0.1", String(line.port));
  await until("the replica", async () => /state=online/.test(String(await primary.command("INFO", "replication"))));
  const proxy = await startProxy(primary.port);
  const place: Place = { kind: "redis", port: proxy.port };
  const actor = localActor(place);
  const all = await followers(place, PROCESSES, { maxStaleness: BOUND, isBent: false });
  const count = rounds(SESSIONS, effort);
  const sessions = await logins(actor, "replica-promoted", 3 * count);
  await shown(all, sessions);
  const [before, lost, after] = [sessions.slice(0, count), sessions.slice(count, 2 * count), sessions.slice(2 * count)];
  const ended = new Map(await endAll(actor, before));
  await pause(1_000);
  line.delay(3_600_000);
  // The replica will never hear of these, but every copy has: they stay refused.
  for (const [sid, at] of await endAll(actor, lost)) ended.set(sid, at);
  await pause(1_500);
  await primary.kill();
  line.close();
  await second.command("REPLICAOF", "NO", "ONE");
  proxy.lead(second.port);
  await until("the new primary", async () => (await actor.logout((before[0] as Login).sid)).code === "ok", 20_000, 50);
  for (const [sid, at] of await endAll(actor, after)) ended.set(sid, at);
  await pause(BOUND * 1000 + RECOVERY);
  const { text, good } = outcome(all, ended);
  await Promise.all([...all.map((each) => each.close()), actor.close()]);
  proxy.close();
  await Promise.all([primary.close(), second.close()]);
  return { experiment: "replica, failover with lost numbers", store: "redis", text, good };
}
