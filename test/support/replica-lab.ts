import {
  type ReplicatedStore,
  type RevocationQuery,
  replicatedStore,
  type StoreNotice,
  type TokenStore,
} from "jwt-extended";
import { vi } from "vitest";
import { revisionOf } from "../../src/stores/revision.ts";
import { type FeedFaults, faultyFeed } from "./faulty-feed.ts";
import { type FeedStore, feedStore } from "./feed-store.ts";

/** A copy of a store whose time, and whose way to the store, are in the hands of a test. */
export interface ReplicaLab extends FeedStore {
  readonly replica: ReplicatedStore;
  readonly faults: FeedFaults;
  /** What it told, in its order. */
  readonly told: readonly (readonly [StoreNotice, string | undefined])[];
  /** Whether questions about tokens fail. */
  isDown: boolean;
  /** How many questions about tokens reached the store. */
  readonly questions: number;
  /** Time goes by, everywhere. */
  pass(milliseconds: number): Promise<void>;
  /** Time goes by while nothing of this process runs; with `isAsleep` its monotonic clock stands still, as that of a suspended machine. */
  halt(milliseconds: number, isAsleep: boolean): void;
  /** Sets the clock of the store, or of this process, ahead or back. */
  moveStoreClock(milliseconds: number): void;
  moveWallClock(milliseconds: number): void;
  /** Milliseconds of the store's clock. */
  storeClock(): number;
  /** Milliseconds that have really gone by, whatever the clocks say. */
  trueNow(): number;
  ask(query: RevocationQuery): Promise<boolean | "down">;
  /** Asks all at once. */
  askAll(queries: readonly RevocationQuery[]): Promise<readonly (boolean | "down")[]>;
}

class BrokenWord extends Error {}

/** Makes one. Timers, `Date` and `performance` are the test's from here on. */
export function replicaLab(options: { maxStaleness?: number; partitions?: number; delay?: number } = {}): ReplicaLab {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setImmediate", "Date", "performance"],
    now: 1_700_000_000_000,
  });
  let [halted, moved] = [0, 0];
  const runs = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => runs() + halted);
  let [truth, truthFrom] = [0, performance.now()];
  /** True time, which goes on also where this process' clocks do not. */
  const trueNow = (): number => 1_700_000_000_000 + truth + performance.now() - truthFrom;
  const storeClock = (): number => Math.floor(trueNow() + moved);
  const made = feedStore(storeClock, options.partitions);
  const { feed, faults } = faultyFeed(made.store.feed);
  faults.delay = options.delay ?? 0;
  const told: [StoreNotice, string | undefined][] = [];
  let questions = 0;
  const through: TokenStore = {
    ...made.store,
    feed,
    async isRevoked(query) {
      questions++;
      if (lab.isDown) throw new Error("out of service");
      return made.store.isRevoked(query);
    },
  };
  const replica = replicatedStore(through, { maxStaleness: options.maxStaleness });
  replica.listen?.((notice, detail) => told.push([notice, detail]));
  const revision = revisionOf(replica);
  const standing = new Map<string, number>();
  /** A guard does not ask again under the same revision: so the answer must be the same. */
  const heldToItsWord = (query: RevocationQuery): ReturnType<TokenStore["isRevoked"]> => {
    const current = revision();
    const answer = replica.isRevoked(query);
    const name = JSON.stringify(query);
    if (current === undefined) return answer;
    if (answer instanceof Promise) throw new BrokenWord("a revision, where the store must be asked");
    if (answer && standing.get(name) === current) throw new BrokenWord(`revoked under the same revision: ${name}`);
    if (!answer) standing.set(name, current);
    return answer;
  };
  const lab: ReplicaLab = {
    ...made,
    replica,
    faults,
    told,
    isDown: false,
    get questions() {
      return questions;
    },
    pass: async (milliseconds) => void (await vi.advanceTimersByTimeAsync(milliseconds)),
    halt(milliseconds, isAsleep) {
      if (isAsleep) {
        truth += performance.now() - truthFrom + milliseconds;
        truthFrom = performance.now();
      } else halted += milliseconds;
      vi.setSystemTime(Date.now() + milliseconds);
    },
    moveStoreClock(milliseconds) {
      moved += milliseconds;
    },
    moveWallClock: (milliseconds) => void vi.setSystemTime(Date.now() + milliseconds),
    storeClock,
    trueNow,
    ask: async (query) => (await lab.askAll([query]))[0] as boolean | "down",
    async askAll(queries) {
      const asked = queries.map(async (query) => heldToItsWord(query));
      const answers = Promise.all(
        asked.map((answer) =>
          answer.catch((error) => {
            if (error instanceof BrokenWord) throw error;
            return "down" as const;
          }),
        ),
      );
      let isSettled = false;
      answers.then(() => {
        isSettled = true;
      });
      await Promise.resolve();
      for (let tries = 0; !isSettled && tries < 150; tries++) await vi.advanceTimersByTimeAsync(tries < 50 ? 0 : 20);
      return answers;
    },
  };
  return lab;
}
