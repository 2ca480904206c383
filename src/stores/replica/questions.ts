import { StoreUnavailableError } from "../../errors.ts";
import { withinLimit } from "../../internal/time-limit.ts";
import type { RevocationQuery, TokenStore } from "../contract.ts";
import { elapsed, type Moment } from "./moment.ts";

/** Questions that the store may owe an answer: 64 turns of the event loop with 32 each. */
const MOST_OPEN = 64 * 32;
/** Milliseconds. */
const ANSWER_WITHIN = 1_000;
/** Milliseconds for which a question counts as open whose answer never comes: a driver may hold it as long. */
const OPEN_FOR = 30_000;
/** Answers that are remembered. */
const MOST_ANSWERS = 10_000;

/** Asks the store where the copy in memory is behind. */
export interface Questions {
  /** How many were sent to the store. */
  readonly asked: number;
  /** @throws StoreUnavailableError where too many wait for an answer */
  ask(query: RevocationQuery, now: Moment): boolean | Promise<boolean>;
  /** Something was revoked here: what was asked before says nothing about it. */
  forget(): void;
}

const down = (detail: string): Error => new StoreUnavailableError("store_unavailable", { detail });

/** @param reuse milliseconds for which "not revoked" may be repeated */
export function questionsTo(store: Pick<TokenStore, "isRevoked">, reuse: number): Questions {
  /** When each question was asked that was answered "not revoked", the oldest first. */
  const answers = new Map<string, Moment>();
  const flights = new Map<string, Promise<boolean>>();
  let [asked, open] = [0, 0];
  let turn: (() => void)[] = [];

  /** Those who ask in one turn of the event loop are sent together: a driver can put them into one packet. */
  const sent = (): Promise<void> =>
    new Promise((send) => {
      if (turn.push(send) > 1) return;
      setImmediate(() => {
        const batch = turn;
        turn = [];
        for (const each of batch) each();
      });
    });

  async function fly(query: RevocationQuery): Promise<boolean> {
    open++;
    asked++;
    await sent();
    const answer = (async () => store.isRevoked(query))();
    const timer = setTimeout(close, OPEN_FOR);
    timer.unref?.();
    let isOpen = true;
    function close(): void {
      if (isOpen) open--;
      isOpen = false;
      clearTimeout(timer);
    }
    answer.then(close, close);
    const isRevoked = await withinLimit(answer, ANSWER_WITHIN, () => down("the store gave no answer in time"));
    if (typeof isRevoked !== "boolean") throw down("the store answered nonsense");
    return isRevoked;
  }

  function remember(name: string, at: Moment): void {
    answers.delete(name);
    const [oldest] = answers.keys();
    if (answers.size >= MOST_ANSWERS && oldest !== undefined) answers.delete(oldest);
    answers.set(name, at);
  }

  return {
    get asked() {
      return asked;
    },
    ask(query, now) {
      const { jti, sid, subject, issuer, kid, iat } = query;
      const name = JSON.stringify([jti, sid, subject, issuer, kid, iat]);
      const answered = answers.get(name);
      if (answered && elapsed(answered, now) <= reuse) return false;
      const flying = flights.get(name);
      if (flying) return flying;
      if (open >= MOST_OPEN) throw down("too many questions wait for the store");
      const flight: Promise<boolean> = fly(query)
        .then((isRevoked) => {
          if (!isRevoked && flights.get(name) === flight) remember(name, now);
          return isRevoked;
        })
        .finally(() => {
          if (flights.get(name) === flight) flights.delete(name);
        });
      flights.set(name, flight);
      return flight;
    },
    forget() {
      answers.clear();
      flights.clear();
    },
  };
}
