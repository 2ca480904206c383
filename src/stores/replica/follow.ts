import { StoreUnavailableError } from "../../errors.ts";
import { withinLimit } from "../../internal/time-limit.ts";
import type { FeedTip, RevocationFeed } from "../contract.ts";
import { Irregular, readChange, readPage, readTip } from "./entries.ts";
import { type Moment, moment } from "./moment.ts";
import type { Revoked } from "./revoked.ts";

/** Entries of a page and changes of an answer: applied in one go, which must not hold up the process. */
const AT_ONCE = 1_000;
/** Milliseconds that one answer may take. */
const ANSWER_WITHIN = 1_000;
const PAGE_WITHIN = 5_000;
/** Milliseconds between answers of changes, so that a flood of hints costs the store fifty questions a second at most. */
const GAP = 20;
/** Snapshots begin after a random delay up to this many milliseconds: every process of a fleet sees the same failover. */
const SNAPSHOT_DELAY = 5_000;
const LONGEST_DELAY = 60_000;
/** Milliseconds of a snapshot between looks at the feed, which is not kept for ever. */
const LOOK_EVERY = 1_000;

/** What is told about one partition. */
export interface PartitionStatus {
  /** The number up to which every change is applied. */
  readonly applied: number;
  /** The number of the last change that the store told. */
  readonly tip: number;
  /** How often all of it was read again. */
  readonly resyncs: number;
}

/** Keeps up with the feed of one partition. */
export interface Follower {
  /** When the question was sent whose answer is applied; `undefined` where nothing can be relied on. */
  readonly freshAt: Moment | undefined;
  /** Milliseconds of the store's clock, as far as this process can believe in it; `undefined` before the first answer. */
  readonly storeTime: number | undefined;
  readonly status: PartitionStatus;
  /** What went wrong last; `undefined` since all went well. */
  readonly fault: unknown;
  /** Something has changed. */
  hint(): void;
  /** Asks where the feed stands at once, and not when its time comes. */
  ask(): void;
  close(): void;
}

/** What a follower needs. */
export interface Following {
  readonly feed: RevocationFeed;
  readonly partition: number;
  readonly revoked: Revoked;
  /** Milliseconds between questions for the tip. */
  readonly interval: number;
  /** Told after each round, and when something goes wrong between rounds. */
  readonly told: (follower: Follower) => void;
}

const late = (): Error => new StoreUnavailableError("store_unavailable", { detail: "the feed gave no answer in time" });

/** Begins to follow. It goes on, whatever the store does, until it is closed. */
export function follow({ feed, partition, revoked, interval, told }: Following): Follower {
  let freshAt: Moment | undefined;
  let generation: string | undefined;
  let [applied, seen, resyncs, failures, snapshotAt] = [0, 0, 0, 0, 0];
  /** Whether the copy is whole, so that changes can be applied to it. */
  let isWhole = false;
  let [isReading, isClosed, isHinted, isAsked] = [false, false, false, false];
  let [began, storeTime]: (number | undefined)[] = [];
  let fault: unknown;

  async function tip(): Promise<{ readonly at: Moment; readonly tip: FeedTip }> {
    const at = moment();
    const found = readTip(await withinLimit(feed.tip(partition), ANSWER_WITHIN, late));
    began ??= found.now - at.monotonic;
    // A store's clock that is set ahead must not end what has yet to run: time passes no faster there than here.
    storeTime = Math.min(found.now, began + at.monotonic);
    return { at, tip: found };
  }

  /** Applies what came after the last change, as much of it as there is in one answer. */
  async function changes(): Promise<void> {
    const entries: unknown = await withinLimit(feed.since(partition, applied, AT_ONCE), ANSWER_WITHIN, late);
    if (!Array.isArray(entries)) throw new Irregular("the feed answers no changes");
    for (const entry of entries) {
      revoked.add(readChange(entry, applied + 1), partition);
      applied++;
    }
    isHinted ||= entries.length >= AT_ONCE;
  }

  /** Reads all that is revoked now. What is known already stays. */
  async function snapshot(start: FeedTip): Promise<void> {
    isReading = true;
    generation = start.generation;
    applied = seen = start.seq;
    revoked.see(start, partition);
    let looked = performance.now();
    let cursor: string | undefined;
    do {
      const page = readPage(await withinLimit(feed.live(partition, cursor, AT_ONCE), PAGE_WITHIN, late), cursor);
      for (const entry of page.entries) revoked.add(entry, partition);
      cursor = page.next;
      if (performance.now() - looked < LOOK_EVERY) continue;
      await changes();
      looked = performance.now();
    } while (cursor !== undefined && !isClosed);
    isReading = false;
    isWhole = true;
  }

  async function round(): Promise<void> {
    const asked = await tip();
    if (!isWhole) {
      if (performance.now() < snapshotAt) return;
      await snapshot(asked.tip);
      // By now the answer is too old to say that the copy is fresh.
      isAsked = true;
      return;
    }
    const { seq } = asked.tip;
    if (asked.tip.generation !== generation) throw new Irregular("the store is another one than before");
    if (seq < Math.max(seen, applied)) throw new Irregular(`the feed ends at ${seq}, and was at ${seen} before`);
    seen = seq;
    revoked.see(asked.tip, partition);
    while (applied < seq && !isClosed) {
      const before = applied;
      await changes();
      if (applied === before) throw new Irregular(`the feed stops at ${applied}, before its last change ${seq}`);
    }
    freshAt = asked.at;
    failures = 0;
    fault = undefined;
  }

  /** Until the next question is due. Changes that are hinted at are fetched meanwhile. */
  async function rest(): Promise<void> {
    const end = performance.now() + interval * (0.8 + 0.4 * Math.random());
    while (!isClosed && !isAsked && performance.now() < end) {
      if (isHinted && isWhole) {
        isHinted = false;
        await changes().catch(failed);
        await sleep(GAP, false);
      } else await sleep(end - performance.now(), true);
    }
    isAsked = false;
  }

  let wake = (_isForGood: boolean): void => {};
  function sleep(milliseconds: number, isLight: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref?.();
      wake = (isForGood) => {
        if (!isLight && !isForGood) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** What cannot be relied on any more is read again from the beginning, later each time that this fails. */
  function beginAgain(): void {
    [isWhole, isReading, freshAt] = [false, false, undefined];
    const delay = Math.min(LONGEST_DELAY, SNAPSHOT_DELAY * 2 ** Math.min(failures, 10));
    snapshotAt = performance.now() + Math.random() * delay;
    failures++;
    resyncs++;
  }

  function failed(wrong: unknown): void {
    fault = wrong;
    if (wrong instanceof Irregular || isReading) beginAgain();
    told(follower);
  }

  async function run(): Promise<void> {
    while (!isClosed) {
      await round().then(() => told(follower), failed);
      await rest();
    }
  }

  const follower: Follower = {
    get freshAt() {
      return isClosed ? undefined : freshAt;
    },
    get storeTime() {
      return storeTime;
    },
    get status() {
      return { applied, tip: seen, resyncs };
    },
    get fault() {
      return fault;
    },
    hint() {
      isHinted = true;
      wake(false);
    },
    ask() {
      isAsked = true;
      wake(false);
    },
    close() {
      isClosed = true;
      wake(true);
    },
  };
  run();
  return follower;
}
