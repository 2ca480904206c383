import { type Actor, localActor } from "./actor.ts";
import { hire } from "./crew.ts";
import type { Place } from "./places.ts";
import { stopped } from "./processes.ts";
import { type Effort, type Finding, pause, rounds, Tally } from "./report.ts";
import type { Answer, Login } from "./tokens.ts";

const ROUNDS = 500;

/** Refreshes that race what ends their session: afterwards nothing of it works, and a login after it does. */
export async function ending(place: Place, effort: Effort): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const count = rounds(ROUNDS, effort);
  for (const all of [false, true]) {
    const actor = localActor(place);
    findings.push(await run(place, "raced", all, count, actor, (token) => actor.refresh(token)));
    await actor.close();
    findings.push(await (place.kind === "memory" ? held(place, all, count) : halted(place, all, count)));
  }
  return findings;
}

type Refresh = (token: string) => Promise<readonly Answer[]>;

/** Presents tokens, and ends the sessions at some moment in between. `caught` tells when the refresh has been committed. */
async function run(
  place: Place,
  how: string,
  all: boolean,
  count: number,
  actor: Actor,
  refresh: Refresh,
  caught: (begun: () => void) => Promise<() => void> = async () => () => {},
): Promise<Finding> {
  const seen = new Tally();
  for (let round = 0; round < count; round++) {
    const subject = `${how}-${all}-${round}`;
    const before = (await actor.login(subject)).login as Login;
    const endIt = (): Promise<Answer> => (all ? actor.revokeAll(subject) : actor.logout(before.sid));
    let racing: Promise<readonly Answer[]> | undefined;
    const begin = (): void => {
      racing = refresh(before.refresh);
    };
    const late = round % 2 === 0 && how === "raced" ? round % 5 : 0;
    const goOn = await caught(begin);
    if (how === "raced") begin();
    if (late > 0) await pause(late / 2);
    const [ended, between] = await Promise.all([endIt(), all ? actor.login(subject) : undefined]);
    goOn();
    const [next] = (await racing) as readonly [Answer];
    if (ended.code !== "ok") seen.add(`revocation ${ended.code}`);
    seen.add(next.login ? "refreshed" : next.code === "session_ended" ? "refused" : `refresh ${next.code}`);
    await nothingOf(actor, [before, ...(next.login ? [next.login] : [])], seen);
    if (between) await wholeOrNothing(actor, between, seen);
    const after = (await actor.login(subject)).login as Login;
    const works = (await actor.check(after.access)).code === "ok" && (await actor.refresh(after.refresh))[0]?.login;
    if (!works) seen.add("LATER LOGIN REFUSED");
  }
  const good = seen.of("refreshed") + seen.of("refused") === count && !/[A-Z]{4}|revocation|refresh /.test(`${seen}`);
  const experiment = `${all ? "revoke-all" : "logout"}, ${how}`;
  return { experiment, store: place.kind, text: `${count} rounds: ${seen}`, good };
}

/** Neither the access nor the refresh token of an ended session may work. */
async function nothingOf(actor: Actor, logins: readonly Login[], seen: Tally): Promise<void> {
  for (const { access, refresh } of logins) {
    if ((await actor.check(access)).code === "ok") seen.add("ENDED ACCESS TOKEN ACCEPTED");
    if ((await actor.refresh(refresh))[0]?.login) seen.add("ENDED REFRESH TOKEN ACCEPTED");
  }
}

/** A login that raced the revocation came before or after it: both of its tokens are good, or neither. */
async function wholeOrNothing(actor: Actor, { login }: Answer, seen: Tally): Promise<void> {
  if (!login) return seen.add("RACING LOGIN FAILED");
  const access = (await actor.check(login.access)).code === "ok";
  const refresh = (await actor.refresh(login.refresh))[0]?.login !== undefined;
  seen.add(access && refresh ? "racing logins alive" : access === refresh ? "racing logins dead" : "HALF A LOGIN");
}

/** The store's commit, the revocation, and only then the minting: held up within this process. */
async function held(place: Place, all: boolean, count: number): Promise<Finding> {
  let onCommit: (() => Promise<void>) | undefined;
  const actor = localActor(place, (step) => {
    const gate = onCommit;
    if (step !== "after the store" || !gate) return undefined;
    onCommit = undefined;
    return gate();
  });
  return run(
    place,
    "held after the commit",
    all,
    count,
    actor,
    (token) => actor.refresh(token),
    (begin) =>
      new Promise((resolve) => {
        onCommit = () => new Promise<void>((goOn) => resolve(goOn));
        begin();
      }),
  ).finally(() => actor.close());
}

/** The same, with the process that refreshes stopped by SIGSTOP and another one that revokes. */
async function halted(place: Place, all: boolean, count: number): Promise<Finding> {
  const actor = localActor(place);
  const hand = await hire(place);
  return run(
    place,
    "stopped after the commit",
    all,
    count,
    actor,
    (token) => hand.refresh(token),
    async (begin) => {
      await hand.catchAt("after the store", "SIGSTOP");
      begin();
      await stopped(hand.child);
      return () => hand.child.kill("SIGCONT");
    },
  ).finally(() => Promise.all([actor.close(), hand.close()]));
}
