import type { RevocationQuery } from "jwt-extended";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FeedEntry, FeedTip, LivePage } from "../../../../src/stores/contract.ts";
import { about } from "../../../../src/testing/store-cases.ts";
import type { FeedCall } from "../../../support/faulty-feed.ts";
import { type ReplicaLab, replicaLab } from "../../../support/replica-lab.ts";

const tokenOf = (jti: string): RevocationQuery => about("alice", { jti, iat: 1_800_000_000 });
const revoke = (lab: ReplicaLab, ...names: readonly string[]) =>
  Promise.all(
    names.map((jti) => lab.store.revoke({ kind: "token", jti, issuer: undefined, until: Number.POSITIVE_INFINITY })),
  );
const resyncs = (lab: ReplicaLab): number => lab.replica.status().partitions[0]?.resyncs ?? 0;

let lab: ReplicaLab;
/** A replica that knows one revocation. */
async function begin(): Promise<void> {
  // Else a delay of random length may be none.
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  lab = replicaLab();
  await revoke(lab, "old");
  await lab.pass(2_000);
  expect(lab.replica.isFresh).toBe(true);
}
afterEach(() => {
  lab.replica.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What was known is refused, in no moment is anything revoked let in, and in the end all is known. */
async function recovers(revoked: readonly string[], within: number): Promise<void> {
  let accepted = 0;
  for (let passed = 0; passed < within; passed += 100) {
    await lab.pass(100);
    expect(lab.replica.isRevoked(tokenOf("old"))).toBe(true);
    if (lab.replica.isFresh && revoked.some((jti) => lab.replica.isRevoked(tokenOf(jti)) !== true)) accepted++;
  }
  expect(lab.replica.isFresh).toBe(true);
  expect(accepted).toBe(0);
  for (const jti of revoked) expect(lab.replica.isRevoked(tokenOf(jti))).toBe(true);
}

type Bend = readonly [what: string, call: FeedCall, bend: (answer: never) => unknown, detail: RegExp];
const changes = (change: (entries: FeedEntry[]) => unknown) => (answer: FeedEntry[]) =>
  answer.length === 0 ? answer : change(answer);
const first = (change: object) => changes(([one, ...rest]) => [{ ...one, ...change }, ...rest]) as Bend[2];
const page = (change: object) => (answer: LivePage) => ({
  ...answer,
  entries: answer.entries.map((entry) => ({ ...entry, ...change })),
});
const tip = (change: object) => (answer: FeedTip) => ({ ...answer, ...change });

describe("a feed that does not go on where it was", () => {
  const BENT: readonly Bend[] = [
    ["has a hole", "since", changes((all) => all.slice(1)), /has 3 where 2 should be/],
    ["is in another order", "since", changes((all) => all.toReversed()), /has 4 where 2 should be/],
    ["says a thing twice", "since", changes(([one, ...rest]) => [one, one, ...rest] as never), /has 2 where 3 should/],
    ["begins before what was asked for", "since", first({ seq: 1 }), /has 1 where 2 should be/],
    ["is cut off before its end", "since", () => [], /stops at 1, before its last change 4/],
    ["has changes without numbers", "since", first({ seq: undefined }), /has undefined where 2 should be/],
    ["has numbers as text", "since", first({ seq: "2" }), /where 2 should be/],
  ];
  it.each(BENT)("%s", async (_what, call, bend, detail) => {
    await begin();
    await revoke(lab, "a", "b", "c");
    lab.faults.bend = (asked, answer) => (asked === call ? bend(answer) : answer);
    await lab.pass(1_300);
    expect(lab.replica.isFresh).toBe(false);
    expect(lab.told.at(-1)).toEqual(["replicaBehind", expect.stringMatching(detail)]);
    expect(await lab.ask(tokenOf("a"))).toBe(true);
    lab.faults.bend = undefined;
    await recovers(["a", "b", "c"], 25_000);
    expect(resyncs(lab)).toBeGreaterThan(0);
  });

  it("comes in pieces: nothing is wrong with that", async () => {
    await begin();
    lab.faults.bend = (call, answer: FeedEntry[]) => (call === "since" ? answer.slice(0, 1) : answer);
    await revoke(lab, "a", "b", "c");
    await lab.pass(1_300);
    await recovers(["a", "b", "c"], 100);
    expect(resyncs(lab)).toBe(0);
  });

  it("ends before where it was: the store was failed over to one that lags", async () => {
    await begin();
    await revoke(lab, "lost", "also lost");
    await lab.pass(1_300);
    lab.rewind(0, 2);
    await revoke(lab, "after");
    await lab.pass(1_300);
    expect(lab.told.at(-1)).toEqual(["replicaBehind", "the feed ends at 2, and was at 3 before"]);
    // What the store has lost is still known here.
    await recovers(["lost", "also lost", "after"], 10_000);
    // From now on another number 3.
    await revoke(lab, "another");
    await lab.pass(100);
    await recovers(["lost", "another"], 1_500);
    expect(resyncs(lab)).toBe(1);
  });

  it("is that of another store: everybody has to log in again", async () => {
    await begin();
    const iat = Math.floor(lab.storeClock() / 1000) + 1;
    expect(lab.replica.isRevoked(about("bob", { iat }))).toBe(false);
    await lab.pass(5_000);
    lab.forget();
    await revoke(lab, "new");
    await lab.pass(1_300);
    expect(lab.told.at(-1)).toEqual(["replicaBehind", "the store is another one than before"]);
    expect(await lab.ask(about("bob", { iat }))).toBe(true);
    await recovers(["new"], 10_000);
    expect(lab.replica.isRevoked(about("bob", { iat }))).toBe(true);
    expect(lab.replica.isRevoked(about("bob", { iat: Math.floor(lab.storeClock() / 1000) }))).toBe(false);
  });

  it("is not kept as long as it was away: all is read again", async () => {
    await begin();
    lab.faults.isCut = true;
    await revoke(lab, ...Array.from({ length: 50 }, (_, at) => `away ${at}`));
    lab.trim(0, 10);
    await lab.pass(20_000);
    lab.faults.isCut = false;
    await recovers(["away 0", "away 49"], 15_000);
    expect(resyncs(lab)).toBe(1);
  });
});

describe("a feed that cannot be understood is a store that is down", () => {
  const KEY = new Uint8Array(16);
  const BENT: readonly Bend[] = [
    ["a change of a kind of a later version", "since", first({ kind: "scope" }), /change 2 of the feed is of a kind/],
    ["a change without a key", "since", first({ key: undefined }), /change 2 of the feed has no key/],
    ["a change with a key that is cut", "since", first({ key: KEY.subarray(1) }), /change 2 of the feed has no key/],
    ["a change with a key as text", "since", first({ key: "0123456789abcdef" }), /change 2 of the feed has no key/],
    ["a change without an end", "since", first({ until: undefined }), /change 2 of the feed does not say how long/],
    ["a change with an end that is no number", "since", first({ until: Number.NaN }), /does not say how long/],
    ["an epoch without one", "since", first({ kind: "epoch" }), /change 2 of the feed has no epoch/],
    ["an epoch that is no number", "since", first({ kind: "epoch", epoch: "1" }), /change 2 of the feed has no epoch/],
    ["an epoch below nothing", "since", first({ kind: "epoch", epoch: -1 }), /change 2 of the feed has no epoch/],
    ["a change that is nothing", "since", changes(([, ...rest]) => [null, ...rest] as never), /where 2 should be/],
    ["changes that are none", "since", () => "changes", /the feed answers no changes/],
    ["no changes", "since", () => undefined, /the feed answers no changes/],
    ["a tip without a generation", "tip", tip({ generation: undefined }), /has no generation/],
    ["a tip without a number", "tip", tip({ seq: "3" }), /has no number/],
    ["a tip with a number between numbers", "tip", tip({ seq: 3.5 }), /has no number/],
    ["a tip without a time", "tip", tip({ now: Number.NaN }), /has no time/],
    ["a tip without an epoch", "tip", tip({ everything: undefined }), /has no epoch of everything/],
    ["a tip without a second", "tip", tip({ everythingSecond: undefined }), /has no epoch of everything/],
    ["no tip", "tip", () => null, /has no generation/],
  ];
  it.each(BENT)("%s", async (_what, call, bend, detail) => {
    await begin();
    await revoke(lab, "a", "b");
    lab.faults.bend = (asked, answer) => (asked === call ? bend(answer) : answer);
    await lab.pass(1_300);
    expect(lab.told.at(-1)).toEqual(["replicaBehind", expect.stringMatching(detail)]);
    expect(lab.replica.isFresh).toBe(false);
    expect(await lab.ask(tokenOf("a"))).toBe(true);
    lab.isDown = true;
    expect(await lab.ask(tokenOf("fine"))).toBe("down");
    lab.faults.bend = undefined;
    await recovers(["a", "b"], 25_000);
  });

  const PAGES: readonly Bend[] = [
    ["an entry of a kind of a later version", "live", page({ kind: "scope" }), /of the snapshot is of a kind/],
    ["an entry without a key", "live", page({ key: KEY.subarray(4) }), /an entry of the snapshot has no key/],
    ["an entry without an end", "live", page({ until: "soon" }), /an entry of the snapshot does not say how long/],
    ["a page without entries", "live", () => ({ next: undefined }), /a page of the snapshot is none/],
    ["no page", "live", () => undefined, /a page of the snapshot is none/],
    ["a page that comes after itself", "live", (answer: LivePage) => ({ ...answer, next: 7 }), /what comes after it/],
  ];
  it.each(PAGES)("%s", async (_what, call, bend, detail) => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    lab = replicaLab({ delay: 1 });
    await revoke(lab, "old", "a");
    lab.faults.bend = (asked, answer) => (asked === call ? bend(answer) : answer);
    await lab.pass(1_300);
    expect(lab.told).toEqual([["replicaBehind", expect.stringMatching(detail)]]);
    expect(await lab.ask(tokenOf("a"))).toBe(true);
    await lab.pass(60_000);
    expect(lab.replica.isFresh).toBe(false);
    // Each time later, so that a store that cannot be read is not read without end.
    expect(lab.faults.asked.live).toBeLessThan(12);
    lab.faults.bend = undefined;
    await lab.pass(80_000);
    await recovers(["old", "a"], 200);
  });
});
