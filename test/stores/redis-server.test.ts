import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type RedisStore, redisStore } from "jwt-extended/redis";
import { fakeClock } from "jwt-extended/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { newSessionId } from "../../src/stores/session-id.ts";
import { about, later, login, presented } from "../../src/testing/store-cases.ts";
import { CLIENTS, hasRedis, type RedisServer, startRedis } from "../support/redis.ts";
import { failure, redisLab } from "../support/redis-lab.ts";
import { available } from "../support/require.ts";

const clock = fakeClock(Date.now());
const { server, storeOn, onEnd } = redisLab();
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): unknown => unhandled.push(error);

/** With the time limit that a manager sets: clients queue for ever while they reconnect. */
const within = <T>(limit: number, call: Promise<T>): Promise<T> =>
  Promise.race([call, sleep(limit).then(() => Promise.reject(new Error("too late")))]);

const notices = (store: RedisStore): string[] => {
  const heard: string[] = [];
  store.listen?.((notice) => heard.push(notice));
  return heard;
};

describe.skipIf(!available("redis-server", hasRedis))("the Redis store", () => {
  let shared: RedisServer;
  beforeAll(async () => {
    process.on("unhandledRejection", onUnhandled);
    shared = await startRedis();
  });
  afterAll(async () => {
    await shared.close();
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
  });
  const fresh = (): string => `t:${randomUUID()}`;

  test("gives fifty that refresh at once one family, through two stores, twenty times", async () => {
    const prefix = fresh();
    const stores = [await storeOn(shared.port, "redis", { prefix }), await storeOn(shared.port, "ioredis", { prefix })];
    const [one, two] = stores as [RedisStore, RedisStore];
    const { sid } = await one.open(login("alice", clock));
    for (let gen = 0; gen < 20; gen++) {
      const call = (at: number) => (at % 2 ? one : two).rotate(presented(sid, gen, clock, { userAgent: `n${at}` }));
      const all = await Promise.all(Array.from({ length: 50 }, (_, at) => call(at)));
      expect(all.filter(({ outcome }) => outcome === "rotated").length).toBe(1);
      expect(all.filter(({ outcome }) => outcome === "raced").length).toBe(49);
      const same = all.map(({ row }) => [row?.sid, row?.gen, row?.subject, row?.issuedAt, row?.refreshExp, row?.op]);
      expect(new Set(same.map((one) => JSON.stringify(one))).size).toBe(1);
    }
    expect(await two.read(sid)).toMatchObject({ gen: 20, racedCount: 20 * 49, endedAt: undefined });
  });

  test("lets every revocation win over refreshes that race it", async () => {
    const prefix = fresh();
    const one = await storeOn(shared.port, "redis", { prefix, partitions: 8 });
    const two = await storeOn(shared.port, "iovalkey", { prefix, partitions: 8 });
    for (let round = 0; round < 20; round++) {
      const subject = `user ${round}`;
      const { sid } = await one.open(login(subject, clock));
      const until = later(clock);
      const ends = [
        { kind: "session", sid, until },
        { kind: "subject", subject, until },
        { kind: "everything", until },
      ] as const;
      const racing = [0, 1, 2, 3].map((at) => (at % 2 ? one : two).rotate(presented(sid, 0, clock, { subject })));
      await Promise.all([...racing, two.revoke(ends[round % 3] as (typeof ends)[number])]);
      expect(await one.isRevoked(about(subject, { sid }))).toBe(true);
      expect((await two.rotate(presented(sid, 1, clock, { subject }))).outcome).toBe("session_ended");
      const after = await one.open(login(subject, clock));
      expect(await two.isRevoked(about(subject, { sid: after.sid }))).toBe(false);
    }
  });

  test("reaches logins that were born after a clock that moved back", async () => {
    const moved = fakeClock();
    const store = await storeOn(shared.port, "redis", { prefix: fresh(), clock: moved });
    await store.revoke({ kind: "subject", subject: "alice", until: later(moved) });
    moved.advance(-30);
    for (const kind of ["subject", "everything"] as const) {
      const { sid } = await store.open(login("alice", moved));
      expect(await store.isRevoked(about("alice", { sid }))).toBe(false);
      await store.revoke({ kind, subject: "alice", until: later(moved) });
      expect(await store.isRevoked(about("alice", { sid }))).toBe(true);
    }
  });

  test("keeps subjects apart, whatever they hold", async () => {
    const store = await storeOn(shared.port, "redis", { prefix: fresh(), partitions: 8 });
    const names = ["a", "a\0", "a\0b", "", "\n", "a\nb", "\ud800", "\ud801", "é", "e\u0301", "💙", "a".repeat(5000)];
    const rows = await Promise.all(names.map((name) => store.open(login(name, clock))));
    for (const [at, name] of names.entries()) {
      expect((await store.read(rows[at]?.sid as string))?.subject).toBe(name);
      expect((await store.list(name)).map(({ sid }) => sid)).toEqual([rows[at]?.sid]);
    }
    const other = presented(rows[6]?.sid as string, 0, clock, { subject: "\ud801" });
    expect((await store.rotate(other)).outcome).toBe("session_unknown");
  });

  test("answers about a token that is another subject's than its session", async () => {
    const store = await storeOn(shared.port, "redis", { prefix: fresh(), partitions: 8 });
    for (let round = 0; round < 20; round++) {
      const { sid } = await store.open(login(`alice ${round}`, clock));
      expect(await store.isRevoked(about("bob", { sid }))).toBe(false);
      await store.revoke({ kind: "session", sid, until: later(clock) });
      expect(await store.isRevoked(about("bob", { sid }))).toBe(true);
    }
    expect(await store.isRevoked(about("bob", { sid: newSessionId(Date.now() - 1e6) }))).toBe(true);
    expect(await store.isRevoked(about("bob", { sid: "no session id" }))).toBe(true);
  });

  test("takes out what may go, and leaves no key behind that grows", async () => {
    const moved = fakeClock();
    const alone = await server();
    const store = await storeOn(alone.port, "redis", { clock: moved, partitions: 2 });
    await Promise.all(Array.from({ length: 2500 }, (_, at) => store.open(login(`user ${at % 50}`, moved))));
    await store.revoke({ kind: "everything", until: moved() });
    await store.revoke({ kind: "subject", subject: "user 1", until: moved() });
    const { sid } = await store.open(login("user 1", moved));
    expect(await store.purge()).toBe(2501);
    expect((await store.list("user 1")).map((row) => row.sid)).toEqual([sid]);
    moved.advance(86_400 + 361);
    await store.purge();
    expect(await store.read(sid)).toBeUndefined();
    // What is left: the settings and the feed of each partition.
    expect(await alone.command("DBSIZE")).toBe(":4");
  });

  test("keeps a session as long as its last refresh token, however often it was prolonged", async () => {
    const moved = fakeClock();
    const alone = await server();
    const store = await storeOn(alone.port, "redis", { clock: moved });
    const [used, left] = [await store.open(login("alice", moved)), await store.open(login("alice", moved))];
    for (let gen = 0; gen < 3; gen++) {
      moved.advance(86_000);
      expect((await store.rotate(presented(used.sid, gen, moved))).outcome).toBe("rotated");
      await store.purge();
    }
    expect(await store.read(left.sid)).toBeUndefined();
    expect((await store.list("alice")).map(({ sid }) => sid)).toEqual([used.sid]);
    // Ended by an epoch, it goes at the time it would have gone for that, not at its own end.
    await store.revoke({ kind: "subject", subject: "alice", until: later(moved) });
    moved.advance(361);
    expect(await store.purge()).toBe(1);
    expect(await store.read(used.sid)).toBeUndefined();
  });

  test("sees that it was emptied: old logins are dead, each process hears it once, new logins live", async () => {
    const alone = await server();
    const stores = [];
    for (const library of Object.keys(CLIENTS)) stores.push(await storeOn(alone.port, library, { partitions: 8 }));
    const [one, two] = stores as [RedisStore, RedisStore];
    await Promise.all(stores.map((store) => store.ready()));
    const heard = stores.map(notices);
    for (let round = 1; round <= 2; round++) {
      const { sid } = await one.open(login("alice", clock));
      const token = about("bob", { jti: "revoked", iat: Math.floor(Date.now() / 1000) });
      await one.revoke({ kind: "token", jti: "revoked", issuer: undefined, until: later(clock) });
      await one.raiseLimits({ access: 3600, refresh: Number.POSITIVE_INFINITY });
      expect(await two.isRevoked(about("alice", { sid }))).toBe(false);
      await alone.command("FLUSHALL");
      const answers = await Promise.all(stores.map((store) => store.isRevoked(about("alice", { sid }))));
      expect(answers).toEqual([true, true, true]);
      expect((await one.rotate(presented(sid, 0, clock))).outcome).toBe("session_unknown");
      // Of no session, and perhaps of this very second: what was revoked before is not revived.
      expect(await two.isRevoked(token)).toBe(true);
      const after = await two.open(login("alice", clock));
      await Promise.all(stores.map((store) => store.purge()));
      expect(await one.isRevoked(about("alice", { sid: after.sid }))).toBe(false);
      expect(heard).toEqual(stores.map(() => Array(round).fill("storeForgot")));
      expect(await one.raiseLimits({ access: 1, refresh: 1 })).toEqual({
        access: 3600,
        refresh: Number.POSITIVE_INFINITY,
      });
    }
    const late = await storeOn(alone.port, "redis", { partitions: 8 });
    const heardLate = notices(late);
    expect((await late.list("alice")).length).toBe(1);
    expect(heardLate).toEqual([]);
  });

  test("sees a system of another time, and agrees on one successor of it", async () => {
    const alone = await server();
    const [one, two] = [await storeOn(alone.port), await storeOn(alone.port, "redis")];
    const { sid } = await one.open(login("alice", clock));
    await two.ready();
    const heard = [notices(one), notices(two)];
    await alone.command("HSET", "jx:{p00}:meta", "generation", "of a backup");
    for (let round = 0; round < 3; round++) {
      expect(await one.isRevoked(about("alice", { sid }))).toBe(true);
      expect(await two.isRevoked(about("alice", { sid }))).toBe(true);
    }
    const after = await one.open(login("alice", clock));
    expect(await two.isRevoked(about("alice", { sid: after.sid }))).toBe(false);
    expect(heard).toEqual([["storeForgot"], ["storeForgot"]]);
  });

  test("does not begin again for a process that was silent while it was emptied twice", async () => {
    const alone = await server();
    const [one, two] = [await storeOn(alone.port), await storeOn(alone.port, "redis")];
    await Promise.all([one.ready(), two.ready()]);
    const heard = notices(two);
    for (let round = 0; round < 2; round++) {
      await alone.command("FLUSHALL");
      await one.list("alice");
    }
    const { sid } = await one.open(login("alice", clock));
    expect(await two.isRevoked(about("alice", { sid }))).toBe(false);
    expect(heard).toEqual(["storeForgot"]);
  });

  test("keeps one secret, and the limits, for all processes", async () => {
    const prefix = fresh();
    const [one, two] = [
      await storeOn(shared.port, "redis", { prefix }),
      await storeOn(shared.port, "ioredis", { prefix }),
    ];
    const secret = await one.secret();
    expect(secret.length).toBe(32);
    expect(await two.secret()).toEqual(secret);
    expect(await one.raiseLimits({ access: 5, refresh: 9 })).toEqual({ access: 5, refresh: 9 });
    expect(await two.raiseLimits({ access: 7, refresh: 1 })).toEqual({ access: 7, refresh: 9 });
  });

  test.each(Object.keys(CLIENTS))("survives SCRIPT FLUSH through %s", async (library) => {
    const alone = await server();
    const store = await storeOn(alone.port, library);
    const { sid } = await store.open(login("alice", clock));
    await alone.command("SCRIPT", "FLUSH");
    expect((await store.rotate(presented(sid, 0, clock))).outcome).toBe("rotated");
    expect((await store.rotate(presented(sid, 1, clock))).outcome).toBe("rotated");
  });

  test("refuses a server that evicts, and takes it once it is mended", async () => {
    const alone = await server("--maxmemory-policy", "allkeys-lru");
    for (const library of Object.keys(CLIENTS)) {
      const store = await storeOn(alone.port, library);
      await alone.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
      const error = await failure(store.ready());
      expect(error.code).toBe("config_invalid");
      expect(error.message).toContain("CONFIG SET maxmemory-policy noeviction");
      expect((await failure(store.open(login("alice", clock)))).code).toBe("config_invalid");
      await alone.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
      await store.open(login("alice", clock));
    }
  });

  test("warns where it cannot see the policy, and of a server in production that forgets", async () => {
    const alone = await server();
    const warn = vi.fn();
    await (await storeOn(alone.port, "redis", { warn })).ready();
    expect(warn.mock.calls).toEqual([]);
    vi.stubEnv("NODE_ENV", "production");
    await (await storeOn(alone.port, "redis", { warn })).ready();
    vi.unstubAllEnvs();
    expect(warn.mock.calls.flat().join()).toMatch(/^Redis runs with appendonly no/);
    warn.mockClear();
    await alone.command("ACL", "SETUSER", "default", "-config");
    await (await storeOn(alone.port, "ioredis", { warn })).ready();
    expect(warn.mock.calls).toEqual([]);
    await alone.command("ACL", "SETUSER", "default", "-config", "-info");
    await (await storeOn(alone.port, "redis", { warn })).ready();
    expect(warn.mock.calls.flat().join()).toMatch(/maxmemory-policy of Redis cannot be read/);
  });

  test("refuses another number of partitions, and options that cannot work", async () => {
    const prefix = fresh();
    await (await storeOn(shared.port, "redis", { prefix })).ready();
    const error = await failure((await storeOn(shared.port, "redis", { prefix, partitions: 8 })).ready());
    expect(error.code).toBe("config_invalid");
    expect(error.message).toContain("partitions: 1, not 8");
    for (const wrong of [{ prefix: "{a}" }, { prefix: "" }, { partitions: 0 }, { partitions: 1.5 }, { replicas: -1 }]) {
      await expect(storeOn(shared.port, "redis", wrong)).rejects.toMatchObject({ code: "config_invalid" });
    }
    for (const client of [{}, undefined, null, "redis://"]) {
      expect(() => redisStore({ client: client as never })).toThrow(/client must be/);
    }
  });

  test("still revokes where memory has run out, and opens no session", async () => {
    const alone = await server();
    const store = await storeOn(alone.port, "redis");
    const { sid } = await store.open(login("alice", clock));
    await alone.command("CONFIG", "SET", "maxmemory", "1");
    await expect(store.open(login("alice", clock))).rejects.toThrow(/OOM/);
    await store.revoke({ kind: "session", sid, until: later(clock) });
    expect(await store.isRevoked(about("alice", { sid }))).toBe(true);
  });

  test.each(Object.keys(CLIENTS))(
    "rejects while the server is away, and goes on after, through %s",
    async (library) => {
      const alone = await server("--appendonly", "yes", "--appendfsync", "always");
      const store = await storeOn(alone.port, library);
      const { sid } = await store.open(login("alice", clock));
      alone.signal("SIGSTOP");
      const flying: Promise<unknown>[] = [store.isRevoked(about("alice", { sid })), store.read(sid)];
      const landed = Promise.allSettled(flying.map((call) => within(1000, call)));
      await sleep(100);
      await alone.stop("SIGKILL");
      expect((await landed).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      const until = later(clock);
      await expect(within(300, store.revoke({ kind: "session", sid, until }))).rejects.toThrow();
      await expect(within(300, store.isRevoked(about("alice", { sid })))).rejects.toThrow();
      await alone.start();
      await store.revoke({ kind: "session", sid, until });
      expect(await store.isRevoked(about("alice", { sid }))).toBe(true);
    },
  );

  test("with appendfsync always, a crash loses nothing that was acknowledged", async () => {
    const alone = await server("--appendonly", "yes", "--appendfsync", "always");
    const store = await storeOn(alone.port, "redis");
    const heard = notices(store);
    const acknowledged: string[] = [];
    const sessions = await Promise.all(Array.from({ length: 40 }, (_, at) => store.open(login(`u${at}`, clock))));
    heard.length = 0;
    const work = sessions.map(async ({ sid, subject }, at) => {
      for (let gen = 0; gen < 50; gen++) await store.rotate(presented(sid, gen, clock, { subject }));
      await store.revoke({ kind: "token", jti: `${at}`, issuer: undefined, until: later(clock) });
    });
    const revoking = (async () => {
      for (let at = 0; ; at++) {
        await store.revoke({ kind: "token", jti: `r${at}`, issuer: undefined, until: later(clock) });
        acknowledged.push(`r${at}`);
      }
    })();
    const all = Promise.allSettled([...work, revoking]);
    while (acknowledged.length < 20) await sleep(20);
    const count = acknowledged.length;
    await alone.stop("SIGKILL");
    await alone.start();
    const iat = Math.floor(Date.now() / 1000) + 10;
    for (const jti of acknowledged.slice(0, count))
      expect(await store.isRevoked(about("bob", { jti, iat }))).toBe(true);
    for (const { sid, subject } of sessions) expect(await store.isRevoked(about(subject, { sid }))).toBe(false);
    expect(heard).toEqual([]);
    onEnd(() => within(5000, all).catch(() => {}));
  });
});
