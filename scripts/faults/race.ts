import { type Actor, localActor } from "./actor.ts";
import { hire } from "./crew.ts";
import type { Place } from "./places.ts";
import { type Effort, type Finding, rounds, Tally } from "./report.ts";
import { type Answer, identityOf, type Login } from "./tokens.ts";

const AT_ONCE = 50;
const ROUNDS = 200;
const PROCESSES = 4;

/** Fifty refreshes of one token at once, again and again: all get the same successor, and nobody is logged out. */
export async function race(place: Place, effort: Effort): Promise<readonly Finding[]> {
  const here = localActor(place);
  const findings = [await run("one process", [here], place, rounds(ROUNDS, effort))];
  await here.close();
  if (place.kind !== "memory") {
    const hands = await Promise.all(Array.from({ length: PROCESSES }, () => hire(place)));
    findings.push(await run(`${PROCESSES} processes`, hands, place, rounds(ROUNDS, effort)));
    await Promise.all(hands.map((hand) => hand.close()));
  }
  return findings;
}

async function run(where: string, actors: readonly Actor[], place: Place, count: number): Promise<Finding> {
  const [first] = actors as readonly [Actor];
  const subject = `race-${where}`;
  const [lost, again] = [new Tally(), new Tally()];
  const share = Math.ceil(AT_ONCE / actors.length);
  let login = (await first.login(subject)).login as Login;
  let [forks, done] = [0, 0];
  for (let round = 0; round < count; round++) {
    const answers = (await Promise.all(actors.map((actor) => insisting(actor, login.refresh, share, again)))).flat();
    const logins = answers.flatMap((each) => each.login ?? []);
    for (const { code } of answers) if (code !== "ok") lost.add(code);
    if (new Set(logins.map(({ refresh }) => identityOf(refresh))).size > 1) forks++;
    const next = logins[round % Math.max(1, logins.length)];
    if (!next) break;
    for (const each of [logins[0], next]) {
      const { code } = await first.check((each as Login).access);
      if (code !== "ok") lost.add(`access ${code}`);
    }
    login = next;
    done++;
  }
  const families = await first.sessions(subject);
  const good = done === count && forks === 0 && families === 1 && lost.toString() === "nothing";
  const asked = again.toString() === "nothing" ? "" : `, asked again: ${again}`;
  const text = `${done} of ${count} rounds of ${share * actors.length} at once: ${families} family, ${forks} forks, refused: ${lost}${asked}`;
  return { experiment: `race, ${where}`, store: place.kind, text, good };
}

/** As a client does: where the store took too long it asks again with the same token, twice. */
async function insisting(
  actor: Actor,
  token: string,
  times: number,
  again: Tally,
  tries = 2,
): Promise<readonly Answer[]> {
  const answers = await actor.refresh(token, times);
  const late = answers.filter(({ code }) => code === "store_unavailable").length;
  if (late === 0 || tries === 0) return answers;
  again.add("store_unavailable", late);
  const fine = answers.filter(({ code }) => code !== "store_unavailable");
  return [...fine, ...(await insisting(actor, token, late, again, tries - 1))];
}
