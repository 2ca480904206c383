import { describe, expect, it } from "vitest";
import type { FeedTip } from "../../../../src/stores/contract.ts";
import { EVERYTHING, storeKey } from "../../../../src/stores/keys.ts";
import { Revoked } from "../../../../src/stores/replica/revoked.ts";
import { newSessionId } from "../../../../src/stores/session-id.ts";
import { about } from "../../../../src/testing/store-cases.ts";

const NOW = 1_700_000_000_400;
const SECOND = 1_700_000_000;
const FOREVER = Number.POSITIVE_INFINITY;
const tip = (everything: number, everythingSecond: number): FeedTip => ({
  generation: "one",
  seq: 0,
  now: NOW,
  everything,
  everythingSecond,
});
const byHand = (iat: number | undefined) => about("ada", { jti: "j", iat });
const bornAt = (born: number) => about("ada", { sid: newSessionId(born) });

describe("what is known to be revoked", () => {
  it("takes the second of an epoch from the tip, which knows whether the store was just made", () => {
    const revoked = new Revoked(1);
    revoked.add({ kind: "epoch", key: EVERYTHING, epoch: NOW, until: FOREVER }, 0);
    expect(revoked.has(byHand(SECOND))).toBe(true);
    revoked.see(tip(NOW, SECOND - 1), 0);
    expect(revoked.has(byHand(SECOND))).toBe(false);
    expect(revoked.has(byHand(SECOND - 1))).toBe(true);
    expect(revoked.has(bornAt(NOW))).toBe(true);
    expect(revoked.has(bornAt(NOW + 1))).toBe(false);
  });

  it("never forgets an epoch for one that is lower, or a second that was revoked", () => {
    const revoked = new Revoked(1);
    revoked.see(tip(NOW, SECOND), 0);
    // Another store, made in the same second.
    revoked.see(tip(NOW + 300, SECOND - 1), 0);
    expect(revoked.has(byHand(SECOND))).toBe(true);
    revoked.see(tip(NOW - 5_000, SECOND - 5), 0);
    revoked.add({ kind: "epoch", key: EVERYTHING, epoch: 5, until: FOREVER }, 0);
    expect(revoked.has(byHand(SECOND))).toBe(true);
    expect(revoked.has(bornAt(NOW + 300))).toBe(true);
    expect(revoked.has(bornAt(NOW + 301))).toBe(false);
  });

  it("counts the epoch of each partition, whatever the others are told", () => {
    const revoked = new Revoked(2);
    revoked.see(tip(NOW, SECOND), 0);
    revoked.see(tip(NOW, SECOND - 1), 1);
    expect(revoked.has(byHand(SECOND))).toBe(true);
  });

  it("refuses what has no time at all, and a session whose id cannot be read", () => {
    const revoked = new Revoked(1);
    expect(revoked.has(byHand(undefined))).toBe(true);
    expect(revoked.has(about("ada", { sid: "nonsense" }))).toBe(true);
    expect(revoked.has(about("ada", { jti: "j", sid: newSessionId(1) }))).toBe(false);
  });

  it("tells subjects, sessions, keys and tokens of the same name apart", () => {
    const revoked = new Revoked(1);
    revoked.see(tip(1, 0), 0);
    revoked.flag(storeKey("key", "same"), FOREVER);
    revoked.add({ kind: "epoch", key: storeKey("subject", "bob"), epoch: NOW, until: FOREVER }, 0);
    expect(revoked.has(about("same", { jti: "same", iat: SECOND }))).toBe(false);
    expect(revoked.has(about("same", { kid: "same", iat: SECOND }))).toBe(true);
    expect(revoked.has(about("bob", { iat: SECOND }))).toBe(true);
    expect(revoked.has(about("bob", { iat: SECOND + 1 }))).toBe(false);
    expect(revoked.entries).toBe(2);
  });
});
