import { type Actor, localActor, STEPS, type Step } from "./actor.ts";
import { type Crew, crew, Gone, type Hand } from "./crew.ts";
import type { Lab } from "./labs.ts";
import type { Place } from "./places.ts";
import { type Effort, type Finding, pause, rounds, Tally, until } from "./report.ts";
import type { Server } from "./servers.ts";
import type { Answer, Login } from "./tokens.ts";

const KILLS = 6;
const SERVER_KILLS = 4;
/** Milliseconds over which kills at any moment are spread: about as long as an operation takes. */
const SPREAD = 12;

/** Kills our process between any two steps, and the server under load. */
export async function crash({ place, server }: Lab, effort: Effort): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const survivor = localActor(place);
  const hands = crew(place);
  for (const step of [...STEPS, "any moment"] as const) {
    const scene: Scene = { place, survivor, hands, when: step, count: rounds(KILLS, effort) };
    findings.push(await refreshes(scene), await logouts(scene));
  }
  await Promise.all([survivor.close(), hands.close()]);
  if (server) findings.push(await serverKilled(place, server, rounds(SERVER_KILLS, effort)));
  return findings;
}

type When = Step | "any moment";

interface Scene {
  readonly place: Place;
  readonly survivor: Actor;
  readonly hands: Crew;
  readonly when: When;
  readonly count: number;
}

/** Asks a process that dies on the way; `undefined` where its answer never came. */
async function dying<T>(hand: Hand, when: When, round: number, ask: () => Promise<T>): Promise<T | undefined> {
  if (when !== "any moment") await hand.catchAt(when, "SIGKILL");
  const asked = ask().catch((error: unknown) => {
    if (error instanceof Gone) return undefined;
    throw error;
  });
  if (when === "any moment") {
    await pause((round % 7) * (SPREAD / 6));
    hand.child.kill("SIGKILL");
  }
  return asked;
}

/** A refresh whose answer is lost with its process: the client retries the same token and goes on. */
async function refreshes({ place, survivor, hands, when, count }: Scene): Promise<Finding> {
  const seen = new Tally();
  for (let round = 0; round < count; round++) {
    const hand = await hands.next();
    const subject = `refresh-${when}-${round}`;
    const login = (await survivor.login(subject)).login as Login;
    // It has done its part once before it dies, as a process that serves has.
    await hand.check(login.access);
    const answers = await dying(hand, when, round, () => hand.refresh(login.refresh));
    seen.add(answers?.[0]?.login ? "answers came" : "answers lost");
    const [retry] = (await survivor.refresh(login.refresh)) as readonly [Answer];
    if (!retry.login) seen.add(`LOGGED OUT ${retry.code}`);
    else if ((await survivor.check(retry.login.access)).code !== "ok") seen.add("ACCESS TOKEN REFUSED");
    else if (!(await survivor.refresh(retry.login.refresh))[0]?.login) seen.add("SUCCESSOR REFUSED");
    if ((await survivor.sessions(subject)) !== 1) seen.add("ORPHAN FAMILY");
    await hand.close();
  }
  return finding(place, `refresh, process killed ${when}`, count, seen);
}

/** A logout whose process dies: acknowledged or not, what is told to the client afterwards holds. */
async function logouts({ place, survivor, hands, when, count }: Scene): Promise<Finding> {
  const seen = new Tally();
  for (let round = 0; round < count; round++) {
    const hand = await hands.next();
    const login = (await survivor.login(`logout-${when}-${round}`)).login as Login;
    await hand.check(login.access);
    const answer = await dying(hand, when, round, () => hand.logout(login.sid));
    seen.add(answer ? "acknowledged" : "answers lost");
    const isCommitted = answer?.code === "ok" || when === "after the store" || when === "before the answer";
    if (isCommitted && (await survivor.check(login.access)).code === "ok") seen.add("REVOCATION LOST");
    if ((await survivor.logout(login.sid)).code !== "ok") seen.add("RETRY REFUSED");
    if ((await survivor.check(login.access)).code === "ok") seen.add("REVOCATION LOST");
    if ((await survivor.refresh(login.refresh))[0]?.login) seen.add("ENDED REFRESH TOKEN ACCEPTED");
    await hand.close();
  }
  return finding(place, `logout, process killed ${when}`, count, seen);
}

/** SIGKILL of the server under load: acknowledged revocations hold, and interrupted refreshes are retried. */
async function serverKilled(place: Place, server: Server, count: number): Promise<Finding> {
  const seen = new Tally();
  const actor = localActor(place);
  const dead: string[] = [];
  for (let round = 0; round < count; round++) {
    let isOn = true;
    const open: Login[] = [];
    const worker = async (index: number): Promise<void> => {
      for (let turn = 0; isOn; turn++) {
        const login = (await actor.login(`server-${round}-${index}-${turn}`)).login;
        if (!login) {
          await pause(5);
          continue;
        }
        if (turn % 2 === 0) {
          if ((await actor.logout(login.sid)).code === "ok") dead.push(login.access);
        } else {
          if (!isOn) return;
          const [next] = await actor.refresh(login.refresh);
          if (!next?.login) open.push(login);
        }
      }
    };
    const workers = Array.from({ length: 8 }, (_, index) => worker(index));
    await pause(300 + 50 * round);
    await server.kill();
    isOn = false;
    await server.start();
    await Promise.all(workers);
    const probe = (await loginAtLast(() => actor.login(`probe-${round}`))) as Login;
    for (const login of [probe, ...open]) {
      const [retry] = await actor.refresh(login.refresh);
      seen.add(retry?.login ? "refreshes went on" : `LOGGED OUT ${retry?.code}`);
    }
  }
  for (const access of dead) if ((await actor.check(access)).code === "ok") seen.add("REVOCATION LOST");
  seen.add("acknowledged revocations", dead.length);
  await actor.close();
  return finding(place, "server killed under load", count, seen);
}

/** Asks again until there is a login. */
async function loginAtLast(ask: () => Promise<Answer>): Promise<Login | undefined> {
  let login: Login | undefined;
  await until("a login after the restart", async () => {
    login = (await ask()).login;
    return login !== undefined;
  });
  return login;
}

function finding(place: Place, experiment: string, count: number, seen: Tally): Finding {
  return { experiment, store: place.kind, text: `${count} rounds: ${seen}`, good: !/[A-Z]{4}/.test(`${seen}`) };
}
