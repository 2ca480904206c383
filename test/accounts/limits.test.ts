import { isJwtError } from "jwt-extended";
import { memoryLimits } from "jwt-extended/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Attempt, createLimits, delayAfter, type Limits, type MakeLimiter } from "../../src/accounts/limits.ts";
import { askingWithin } from "../../src/accounts/secrets.ts";
import { available } from "../support/require.ts";
import { PLACES, type Place } from "./limit-places.ts";

const ask = askingWithin(() => 5_000);
let rounds = 0;

/** Limits whose keys are those of one test. */
function limitsOver(...makers: readonly MakeLimiter[]): Limits[] {
  const round = `${++rounds} `;
  return makers.map((make) => createLimits(make, {}, async (text) => round + Buffer.from(text).toString("hex"), ask));
}

const from = (address: string | undefined, name = "ada", device?: string): Attempt => ({ name, address, device });

/** `"in"`, or the seconds that are to be waited. */
async function knock(limits: Limits | undefined, attempt: Attempt): Promise<string | number> {
  try {
    await limits?.login(attempt);
    return "in";
  } catch (error) {
    if (isJwtError(error) && error.code === "too_many_attempts")
      return (error as { retryAfter?: number }).retryAfter ?? -1;
    throw error;
  }
}

const times = async (count: number, work: (i: number) => Promise<string | number>): Promise<(string | number)[]> => {
  const all: (string | number)[] = [];
  for (let i = 0; i < count; i++) all.push(await work(i));
  return all;
};
const passed = (answers: readonly (string | number)[]): number => answers.filter((answer) => answer === "in").length;

describe.each(PLACES)("limits in %s", (name, isHere, open) => {
  describe.skipIf(!available(name, isHere))("are there", () => {
    let place: Place;
    beforeAll(async () => {
      place = await open();
    }, 60_000);
    afterAll(() => place?.close());

    it("let ten wrong passwords of an account and an address pass, in all processes together", async () => {
      const [one, other] = limitsOver(place.make, place.again);
      const isShared = place.make !== place.again;
      const answers = await times(30, (i) => knock(i % 2 ? one : other, from("192.0.2.1")));
      expect(passed(answers)).toBe(isShared ? 10 : 20);
      const last = Number(answers.at(-1));
      expect(last).toBeGreaterThan(800);
      expect(last).toBeLessThanOrEqual(900);
    });

    it("count right where fifty come at once", async () => {
      const [one, other] = limitsOver(place.make, place.make === place.again ? memoryLimits : place.again);
      const both = place.make === place.again ? [one, one] : [one, other];
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => knock(both[i % 2], from("192.0.2.2"))));
      expect(passed(answers)).toBe(10);
    });

    it("take nothing for a right password", async () => {
      const [limits] = limitsOver(place.make);
      for (let i = 0; i < 25; i++) await (await limits?.login(from("192.0.2.3")))?.();
      expect(await knock(limits, from("192.0.2.3"))).toBe("in");
    });

    it("make everybody wait longer and longer who guesses from ever new addresses, and lock nobody out", async () => {
      const [limits] = limitsOver(place.make);
      const answers = await times(40, (i) => knock(limits, from(`2001:db8:${i.toString(16)}::1`)));
      // The eleventh is let through, and shuts the gate for a second; what is refused does not lengthen the wait.
      expect(passed(answers.slice(0, 11))).toBe(11);
      const waits = answers.slice(11).filter((answer) => answer !== "in");
      expect(waits.length).toBeGreaterThan(20);
      expect(Math.max(...waits.map(Number))).toBeLessThanOrEqual(8);
      // The device on which the user has logged in before has a bucket of its own.
      expect(await knock(limits, from("198.51.100.7", "ada", "known-device"))).toBe("in");
      // Each time from another address: ten times are as often as one may try.
      let last = 0;
      const another = () => knock(limits, from(`198.51.100.${++last}`));
      await vi.waitFor(async () => expect(await another()).toBe("in"), { timeout: 12_000, interval: 200 });
    }, 20_000);

    it("count one address over all accounts, and all of an IPv6 network as one", async () => {
      const [limits] = limitsOver(place.make);
      const answers = await times(110, (i) => knock(limits, from(`2001:db8:1:2:${i.toString(16)}::${i}`, `user${i}`)));
      expect(passed(answers)).toBe(100);
      expect(await knock(limits, from("2001:db8:1:3::1", "user1"))).toBe("in");
    });

    it("have a bucket of their own for registrations", async () => {
      const [limits] = limitsOver(place.make);
      const answers = await times(25, async () => {
        try {
          await limits?.registration("192.0.2.9");
          return "in";
        } catch (error) {
          return (error as { retryAfter: number }).retryAfter;
        }
      });
      expect(passed(answers)).toBe(20);
      expect(await knock(limits, from("192.0.2.9"))).toBe("in");
    });
  });
});

describe("the wait", () => {
  it("grows up to a quarter of an hour, and no further", () => {
    expect([1, 2, 3, 4, 10, 11, 12, 1_000].map(delayAfter)).toEqual([1, 2, 4, 8, 512, 900, 900, 900]);
  });

  describe("with a clock that is moved", () => {
    afterEach(() => vi.useRealTimers());

    it("lets one attempt through each time, for ever", async () => {
      vi.useFakeTimers();
      const [limits] = limitsOver(memoryLimits);
      for (let i = 0; i < 10; i++) expect(await knock(limits, from(`2001:db8:${i}::1`))).toBe("in");
      const waited: number[] = [];
      for (let i = 0; i < 15; i++) {
        const attempt = (n: number) => from(`2001:db8:f${i.toString(16)}${n}::1`);
        expect(await knock(limits, attempt(0))).toBe("in");
        const wait = Number(await knock(limits, attempt(1)));
        waited.push(wait);
        expect(await knock(limits, attempt(2))).toBe(wait);
        vi.advanceTimersByTime(wait * 1000);
      }
      expect(waited).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900]);
      vi.advanceTimersByTime(86_400_000);
      for (let i = 0; i < 10; i++) expect(await knock(limits, from(`2001:db8:${i}::2`))).toBe("in");
    });

    it("forgets after a quarter of an hour what one address did", async () => {
      vi.useFakeTimers();
      const [limits] = limitsOver(memoryLimits);
      expect(passed(await times(12, () => knock(limits, from("192.0.2.4", "bob"))))).toBe(10);
      vi.advanceTimersByTime(899_000);
      expect(await knock(limits, from("192.0.2.4", "bob"))).toBe(1);
      vi.advanceTimersByTime(1_001);
      expect(await knock(limits, from("192.0.2.4", "bob"))).toBe("in");
    });
  });
});

describe("a place that fails", () => {
  const failing =
    (fail: () => Promise<never>): MakeLimiter =>
    () => ({ consume: fail, reward: fail });
  const codeOf = (make: MakeLimiter, limit: number): Promise<string> =>
    createLimits(
      make,
      {},
      async (text) => text,
      askingWithin(() => limit),
    )
      .login(from("192.0.2.5"))
      .then(
        () => "in",
        (error: { code: string }) => error.code,
      );

  it("lets nobody in", async () => {
    expect(
      await codeOf(
        failing(() => Promise.reject(new Error("ECONNREFUSED"))),
        1_000,
      ),
    ).toBe("store_unavailable");
    expect(
      await codeOf(
        failing(() => new Promise(() => {})),
        20,
      ),
    ).toBe("store_unavailable");
    expect(await codeOf(() => ({ consume: async () => ({}), reward: async () => ({}) }), 1_000)).toBe(
      "store_unavailable",
    );
  });
});
