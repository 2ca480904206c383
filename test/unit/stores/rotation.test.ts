import type { Presented, SessionRow } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { decide, ended, isOver } from "../../../src/stores/rotation.ts";

const NOW = 1_800_000_000_500;
const SECOND = Math.floor(NOW / 1000);

/** A session that was rotated five seconds ago, and holds generation 3. */
function row(change: Partial<SessionRow> = {}): SessionRow {
  return {
    sid: "s",
    subject: "ada",
    authTime: SECOND - 100,
    absoluteEnd: NOW + 1e9,
    issuedAt: SECOND - 5,
    refreshExp: SECOND + 3600,
    claims: { team: "x" },
    headers: {},
    userAgent: "a browser",
    address: "a hash",
    jkt: undefined,
    born: NOW - 100_000,
    gen: 3,
    rotatedAt: NOW - 5000,
    racedCount: 0,
    op: "the last call",
    csrfSeed: new Uint8Array(16),
    lastUsedAt: NOW - 5000,
    endedAt: undefined,
    endedWhy: undefined,
    ...change,
  };
}

function presented(gen: number, change: Partial<Presented> = {}): Presented {
  return {
    sid: "s",
    subject: "ada",
    gen,
    nonce: "this call",
    jkt: undefined,
    userAgent: "another browser",
    address: undefined,
    issuedAt: SECOND,
    refreshExp: SECOND + 86_400,
    grace: 10_000,
    endedUntil: NOW + 1e6,
    ...change,
  };
}

const outcome = (one: SessionRow | undefined, token: Presented, now = NOW) => decide(one, token, now).outcome;

describe("decide", () => {
  it("knows no session that is none, or another's", () => {
    for (const gen of [0, 2, 3, 4]) {
      expect(decide(undefined, presented(gen), NOW)).toEqual({ outcome: "session_unknown", row: undefined });
      expect(decide(row(), presented(gen, { subject: "bob" }), NOW)).toEqual({
        outcome: "session_unknown",
        row: undefined,
      });
    }
    // Not even a hint that it is over.
    expect(outcome(row({ endedAt: NOW - 1 }), presented(3, { subject: "bob" }))).toBe("session_unknown");
  });
  it("leaves what is over as it is, whatever comes", () => {
    const over = [
      row({ endedAt: NOW - 1, endedWhy: "logout" }),
      row({ refreshExp: SECOND }),
      row({ absoluteEnd: NOW }),
      row({ refreshExp: SECOND - 1, endedAt: NOW - 9 }),
    ];
    for (const one of over) {
      for (const token of [0, 2, 3, 4, 99].map((gen) => presented(gen))) {
        expect(decide(one, token, NOW)).toEqual({ outcome: "session_ended", row: one });
      }
      expect(outcome(one, presented(2, { nonce: "the last call" }))).toBe("session_ended");
    }
  });
  it("is over at the millisecond, not before", () => {
    const one = row({ refreshExp: SECOND + 1, absoluteEnd: NOW + 5000 });
    expect(outcome(one, presented(3), (SECOND + 1) * 1000 - 1)).toBe("rotated");
    expect(outcome(one, presented(3), (SECOND + 1) * 1000)).toBe("session_ended");
    const endless = row({ refreshExp: undefined, absoluteEnd: Number.POSITIVE_INFINITY });
    expect(outcome(endless, presented(3), Number.MAX_SAFE_INTEGER)).toBe("rotated");
    expect(isOver(row({ refreshExp: undefined, absoluteEnd: NOW + 1 }), NOW)).toBe(false);
    expect(isOver(row({ refreshExp: undefined, absoluteEnd: NOW + 1 }), NOW + 1)).toBe(true);
  });
  it("rotates the present generation", () => {
    const before = row();
    expect(decide(before, presented(3), NOW)).toEqual({
      outcome: "rotated",
      row: {
        ...before,
        gen: 4,
        rotatedAt: NOW,
        lastUsedAt: NOW,
        issuedAt: SECOND,
        refreshExp: SECOND + 86_400,
        op: "this call",
        userAgent: "another browser",
      },
    });
    expect(before).toEqual(row());
  });
  it("never lets the successor outlive the session", () => {
    const absoluteEnd = (SECOND + 100) * 1000 + 999;
    for (const refreshExp of [SECOND + 86_400, undefined, SECOND + 101]) {
      const next = decide(row({ absoluteEnd }), presented(3, { refreshExp }), NOW).row;
      expect(next?.refreshExp).toBe(SECOND + 100);
    }
    expect(decide(row({ absoluteEnd }), presented(3, { refreshExp: SECOND + 9 }), NOW).row?.refreshExp).toBe(
      SECOND + 9,
    );
    const endless = row({ absoluteEnd: Number.POSITIVE_INFINITY });
    expect(decide(endless, presented(3, { refreshExp: undefined }), NOW).row?.refreshExp).toBeUndefined();
  });
  it("takes its own retry as the same rotation, also without any grace and long after", () => {
    const one = row({ rotatedAt: NOW - 1e6 });
    const token = presented(2, { nonce: "the last call", grace: 0, jkt: "another key" });
    expect(decide(one, token, NOW)).toEqual({ outcome: "rotated", row: one });
    // Only the generation before: nobody else's nonce helps an older one.
    expect(outcome(one, presented(1, { nonce: "the last call" }))).toBe("reused");
    expect(outcome(row({ gen: 0, op: undefined }), presented(0, { nonce: "the last call" }))).toBe("rotated");
  });
  it("gives the generation before the same successor, inside the grace", () => {
    for (const since of [0, 1, 9999, 10_000, -500]) {
      const one = row({ rotatedAt: NOW - since });
      expect(decide(one, presented(2), NOW)).toEqual({ outcome: "raced", row: { ...one, racedCount: 1 } });
    }
    // No grace is none, also in the millisecond of the rotation and where the clock has moved back.
    for (const since of [0, -500])
      expect(outcome(row({ rotatedAt: NOW - since }), presented(2, { grace: 0 }))).toBe("reused");
  });
  it("ends the session where it comes later, by another key, or is older", () => {
    const thefts: [SessionRow, Presented][] = [
      [row({ rotatedAt: NOW - 10_001 }), presented(2)],
      [row({ rotatedAt: NOW - 1 }), presented(2, { grace: 0 })],
      [row({ rotatedAt: undefined }), presented(2)],
      [row({ jkt: "a key" }), presented(2)],
      [row({ jkt: "a key" }), presented(2, { jkt: "another key" })],
      [row(), presented(2, { jkt: "a key" })],
      [row({ rotatedAt: NOW }), presented(1)],
      [row({ rotatedAt: NOW }), presented(0)],
    ];
    for (const [one, token] of thefts) {
      const next = { ...one, endedAt: NOW, endedWhy: "reused" };
      expect(decide(one, token, NOW)).toEqual({ outcome: "reused", row: next });
    }
    expect(outcome(row({ jkt: "a key" }), presented(2, { jkt: "a key" }))).toBe("raced");
  });
  it("heals a session that lost writes", () => {
    for (const gen of [4, 5, 900]) {
      const next = decide(row(), presented(gen), NOW);
      expect(next).toMatchObject({ outcome: "healed", row: { gen: gen + 1, rotatedAt: NOW, op: "this call" } });
    }
  });
});

describe("ended", () => {
  it("keeps the first reason", () => {
    const once = ended(row(), "logout", NOW);
    expect(once).toMatchObject({ endedAt: NOW, endedWhy: "logout" });
    expect(ended(once, "reused", NOW + 5)).toBe(once);
  });
});
