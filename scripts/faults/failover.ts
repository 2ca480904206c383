import { type Actor, localActor } from "./actor.ts";
import type { Lab } from "./labs.ts";
import type { Place } from "./places.ts";
import { startProxy } from "./proxy.ts";
import { startCluster, startSentinels } from "./redis-groups.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { type Effort, type Finding, pause, rounds, Tally, until } from "./report.ts";
import type { Login } from "./tokens.ts";

const ROUNDS = 5;
/** Sessions that are ended with the replica at hand, and others with one that lags: each of those waits for it. */
const [BEFORE, BEHIND] = [20, 4];

/** A replica is promoted when the primary dies: what was acknowledged and is gone? */
export async function failover({ place: { kind } }: Lab, effort: Effort): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const replicas of [1, 0]) {
    const seen = new Tally();
    const count = rounds(ROUNDS, effort);
    for (let round = 0; round < count; round++) {
      if (kind === "cluster" || kind === "sentinel") await byItself(kind, replicas, seen);
      else await once(replicas, seen);
    }
    const lost = seen.of("LOST");
    findings.push({
      experiment: `failover, replicas: ${replicas}`,
      store: kind,
      text: `${count} rounds: ${seen}, ${lost} lost`,
      good: replicas === 0 ? undefined : lost === 0 && seen.of("logged in again") === count,
    });
  }
  return findings;
}

/** Milliseconds: longer than anything here. */
const NEVER = 3_600_000;

const info = async (server: RedisServer): Promise<string> => String(await server.command("INFO", "replication"));
const offset = async (server: RedisServer): Promise<string | undefined> =>
  /(?:slave_repl|master_repl)_offset:(\d+)/.exec(await info(server))?.[1];
const inSync = async (primary: RedisServer): Promise<boolean> => /state=online/.test(await info(primary));

/** One failover by hand, with the replica lagging while some of the sessions are ended. */
async function once(replicas: number, seen: Tally): Promise<void> {
  const primary = await startRedis();
  const replica = await startRedis();
  // What the replica is sent goes through a way that can be made so long that it never arrives.
  const line = await startProxy(primary.port);
  await replica.command("REPLICAOF", "127.0.0.1", String(line.port));
  await until("the replica", () => inSync(primary));
  const proxy = await startProxy(primary.port);
  const place: Place = { kind: "redis", port: proxy.port, replicas };
  const actor = localActor(place);
  const logins: Login[] = [];
  for (let each = 0; each <= BEFORE + BEHIND; each++)
    logins.push((await actor.login(`failover-${each}`)).login as Login);
  await until("the replica", async () => (await offset(replica)) === (await offset(primary)));

  const acknowledged: Login[] = [];
  const end = async (login: Login): Promise<void> => {
    const { code } = await actor.logout(login.sid);
    seen.add(code === "ok" ? "acknowledged" : code);
    if (code === "ok") acknowledged.push(login);
  };
  const kept = logins.pop() as Login;
  await Promise.all(logins.slice(0, BEFORE).map(end));
  line.delay(NEVER);
  const besides = pause(50).then(() => actor.check(kept.access));
  for (const login of logins.slice(BEFORE)) await end(login);
  const { code } = await besides;
  if (code !== "ok") seen.add(`check ${code} beside a lagging replica`);
  await primary.kill();
  line.close();
  await replica.command("REPLICAOF", "NO", "ONE");
  proxy.lead(replica.port);

  await settle(actor, acknowledged, seen);
  proxy.close();
  await Promise.all([primary.close(), replica.close()]);
}

/** One failover that a cluster or sentinels see to, under way while sessions are ended. */
async function byItself(kind: "cluster" | "sentinel", replicas: number, seen: Tally): Promise<void> {
  const group = await { cluster: () => startCluster(1), sentinel: startSentinels }[kind]();
  const actor = localActor({ kind, port: group.port, replicas });
  const logins: Login[] = [];
  for (let each = 0; each <= BEFORE + BEHIND; each++)
    logins.push((await actor.login(`failover-${each}`)).login as Login);
  const kept = logins.pop() as Login;
  const acknowledged: Login[] = [];
  const ends = logins.map(async (login, at) => {
    await pause(at * 5);
    const { code } = await actor.logout(login.sid);
    seen.add(code === "ok" ? "acknowledged" : code);
    if (code === "ok") acknowledged.push(login);
  });
  await pause(BEFORE * 3);
  const since = Date.now();
  await group.failover();
  await Promise.all(ends);
  await until("a login", async () => (await actor.login("probe")).login !== undefined);
  seen.add("ms without service", Date.now() - since);
  if (!(await actor.refresh(kept.refresh))[0]?.login) seen.add("LOGGED OUT");
  await settle(actor, acknowledged, seen);
  await group.close();
}

/** Looks what has become of sessions whose end was acknowledged. */
async function settle(actor: Actor, acknowledged: readonly Login[], seen: Tally): Promise<void> {
  for (const { access } of acknowledged) {
    let { code } = await actor.check(access);
    for (let tries = 0; code === "store_unavailable" && tries < 40; tries++) {
      await pause(50);
      code = (await actor.check(access)).code;
    }
    if (code === "ok") seen.add("LOST");
  }
  if ((await actor.login("after")).login) seen.add("logged in again");
  await actor.close();
}
