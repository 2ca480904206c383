import fc from "fast-check";
import { Redis } from "ioredis";
import { type RedisStore, redisStore } from "jwt-extended/redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Presented, SessionRow } from "../../src/stores/contract.ts";
import { encodeRow } from "../../src/stores/redis/rows.ts";
import { decide } from "../../src/stores/rotation.ts";
import { newSessionId } from "../../src/stores/session-id.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis.ts";
import { available } from "../support/require.ts";

const NOW = 1_700_000_000_500;
const SECOND = Math.floor(NOW / 1000);
const SESSIONS = "jx:{p00}:sessions";

const ROW: SessionRow = {
  sid: newSessionId(NOW - 100_000),
  subject: "alice",
  born: NOW - 100_000,
  authTime: SECOND - 100,
  absoluteEnd: NOW + 3_600_000,
  issuedAt: SECOND - 100,
  refreshExp: SECOND + 600,
  claims: { list: [], nothing: {}, big: 12_345_678_901_234, fraction: 0.1, text: "a\nb\0\u2028" },
  headers: {},
  userAgent: "a\nbrowser",
  address: undefined,
  jkt: undefined,
  gen: 3,
  rotatedAt: NOW - 5000,
  racedCount: 2,
  op: "before",
  csrfSeed: new Uint8Array(16).map((_, at) => at * 16 + 7),
  lastUsedAt: NOW - 4000,
  endedAt: undefined,
  endedWhy: undefined,
};
const PRESENTED: Presented = {
  sid: ROW.sid,
  subject: "alice",
  gen: 3,
  nonce: "mine",
  jkt: undefined,
  userAgent: undefined,
  address: undefined,
  issuedAt: SECOND,
  refreshExp: SECOND + 900,
  grace: 10_000,
  endedUntil: NOW + 1e9,
};

/** Every combination of one value for each name. */
function grid<T>(choices: { readonly [K in keyof T]?: readonly T[K][] }): Partial<T>[] {
  let all: Partial<T>[] = [{}];
  for (const [name, values] of Object.entries(choices) as [keyof T, readonly T[keyof T][]][]) {
    all = all.flatMap((one) => values.map((value) => ({ ...one, [name]: value })));
  }
  return all;
}

describe.skipIf(!available("redis-server", hasRedis))("the script decides as rotation.ts does", () => {
  let server: RedisServer;
  let client: Redis;
  let store: RedisStore;
  let now = 1;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.port, "127.0.0.1");
    store = redisStore({ client, clock: () => now });
    // The epoch of a new store: all rows of these tests are born after it.
    await store.ready();
    now = NOW;
  });
  afterAll(async () => {
    client.disconnect();
    await server.close();
  });

  async function agree(row: SessionRow, presented: Presented): Promise<void> {
    await client.hset(SESSIONS, row.sid, encodeRow(row));
    const wanted = decide(row, presented, now);
    expect(await store.rotate(presented)).toEqual(wanted);
    expect(await store.read(row.sid)).toEqual(wanted.row ?? row);
  }

  test("a row comes back as it was", async () => {
    await client.hset(SESSIONS, ROW.sid, encodeRow(ROW));
    expect(await store.read(ROW.sid)).toEqual(ROW);
  });
  test("in every case of a small grid", { timeout: 120_000 }, async () => {
    const rows = grid<SessionRow>({
      rotatedAt: [undefined, NOW - 10_001, NOW - 10_000, NOW + 5],
      op: [undefined, "mine"],
      jkt: [undefined, "k"],
      refreshExp: [undefined, SECOND, SECOND + 1],
      absoluteEnd: [NOW, NOW + 1, Number.POSITIVE_INFINITY],
      endedAt: [undefined, NOW - 1],
    });
    const asked = grid<Presented>({
      gen: [1, 2, 3, 4],
      jkt: [undefined, "k"],
      subject: ["alice", "Alice"],
    });
    const outcomes = new Map<string, number>();
    for (const one of rows) {
      const row = { ...ROW, ...one, endedWhy: one.endedAt === undefined ? undefined : ("logout" as const) };
      await Promise.all(
        asked.map(async (other) => {
          // A session of its own for each, so that all of them can be asked at once.
          const sid = newSessionId(ROW.born);
          const presented = { ...PRESENTED, ...other, sid };
          const { outcome } = decide({ ...row, sid }, presented, now);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          await agree({ ...row, sid }, presented);
        }),
      );
    }
    expect([...outcomes.keys()].sort()).toEqual(
      ["healed", "raced", "reused", "rotated", "session_ended", "session_unknown"].sort(),
    );
  });
  test("for random rows", { timeout: 120_000 }, async () => {
    const text = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
      .map((all) => String.fromCharCode(...all));
    const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
    const near = fc.integer({ min: NOW - 20_000, max: NOW + 20_000 });
    const nearSecond = fc.integer({ min: SECOND - 2, max: SECOND + 20 });
    const few = fc.constantFrom("a", "b", "");
    const row = fc.record<Partial<SessionRow>>({
      subject: fc.oneof(text, fc.constant("alice")),
      absoluteEnd: fc.oneof(near, fc.constant(Number.POSITIVE_INFINITY)),
      refreshExp: maybe(nearSecond),
      claims: fc
        .dictionary(text, fc.jsonValue() as fc.Arbitrary<unknown>)
        .map((all) => JSON.parse(JSON.stringify(all))),
      userAgent: maybe(text),
      address: maybe(text),
      jkt: maybe(few),
      gen: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(2 ** 50)),
      rotatedAt: maybe(near),
      racedCount: fc.nat(),
      op: maybe(few),
      csrfSeed: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      lastUsedAt: near,
      endedAt: fc.option(near, { nil: undefined, freq: 8 }),
    });
    const presented = fc.record<Partial<Presented>>({
      subject: fc.oneof(
        { arbitrary: fc.constant(undefined as unknown as string), weight: 9 },
        { arbitrary: text, weight: 1 },
      ),
      gen: fc.integer({ min: -4, max: 3 }),
      nonce: few,
      jkt: maybe(few),
      userAgent: maybe(text),
      address: maybe(text),
      issuedAt: nearSecond,
      refreshExp: maybe(nearSecond),
      grace: fc.integer({ min: 0, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(row, presented, async (one, other) => {
        const sid = newSessionId(ROW.born);
        const whole = { ...ROW, ...one, sid, endedWhy: one.endedAt === undefined ? undefined : ("subject" as const) };
        const gen = whole.gen + (other.gen ?? 0);
        await agree(whole, { ...PRESENTED, ...other, sid, gen, subject: other.subject ?? whole.subject });
      }),
      { numRuns: 2000 },
    );
  });
});
