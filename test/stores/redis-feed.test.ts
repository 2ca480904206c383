import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { type RedisStore, type RedisStoreOptions, redisStore } from "jwt-extended/redis";
import { fakeClock } from "jwt-extended/testing";
import { createClientPool } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FeedEntry, RevocationFeed } from "../../src/stores/contract.ts";
import { storeKey } from "../../src/stores/keys.ts";
import { later, login, presented } from "../../src/testing/store-cases.ts";
import { CLIENTS, hasRedis, type OpenClient, type RedisServer, startRedis } from "../support/redis.ts";
import { redisLab } from "../support/redis-lab.ts";
import { available } from "../support/require.ts";

const clock = fakeClock(Date.now());
const token = (jti: string, until = later(clock)) => ({ kind: "token", jti, issuer: undefined, until }) as const;
const idOf = (jti: string): string => storeKey("token", jti).toString("hex");
const ids = (entries: readonly { readonly key: Uint8Array }[]) =>
  entries.map(({ key }) => Buffer.from(key).toString("hex"));

/** All pages, and what is done between them, told the one read last. */
async function pages(feed: RevocationFeed, limit: number, between = async (_last: string): Promise<void> => {}) {
  const found: string[] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await feed.live(0, cursor, limit);
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    found.push(...ids(page.entries));
    cursor = page.next;
    await between(found.at(-1) as string);
  }
  return found;
}

describe.skipIf(!available("redis-server", hasRedis))("the feed of the Redis store", () => {
  let server: RedisServer;
  let admin: Redis;
  const lab = redisLab();
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.port, "127.0.0.1");
  });
  afterAll(async () => {
    admin.disconnect();
    await server.close();
  });

  const opened = (library = "ioredis", port = server.port) => lab.client(port, library);
  interface Made {
    readonly store: RedisStore;
    readonly feed: RevocationFeed;
    readonly prefix: string;
    key(name: string): string;
  }
  async function made(options: Partial<RedisStoreOptions> = {}): Promise<Made> {
    const prefix = `t:${randomUUID()}`;
    const client = options.client ?? (await opened());
    const store = redisStore({ prefix, warn: () => {}, ...options, client });
    await store.ready();
    return { store, feed: store.feed, prefix, key: (name) => `${prefix}:{p00}:${name}` };
  }

  describe("where the server has lost changes and others took their numbers", () => {
    /** The keys as they were, put back. */
    async function rewound({ key, store }: Made, work: () => Promise<void>): Promise<void> {
      const names = ["meta", "live", "epochs", "feed"].map(key);
      const kept = await Promise.all(names.map((name) => admin.dumpBuffer(name)));
      await work();
      for (const [at, name] of names.entries()) {
        if (kept[at]) await admin.restore(name, 0, kept[at], "REPLACE");
        else await admin.del(name);
      }
      await store.revoke(token("other"));
    }

    test("says at the tip that it is another history, with the very same number", async () => {
      const one = await made();
      await one.store.revoke(token("first"));
      await rewound(one, async () => {
        await one.store.revoke(token("lost"));
        expect((await one.feed.tip(0)).seq).toBe(2);
      });
      const before = await one.feed.tip(0);
      expect(before.seq).toBe(2);
      // It had told of `lost` as number 2; now `other` is that. A store that learns only now knows no difference.
      const fresh = redisStore({ client: await opened(), prefix: one.prefix });
      expect(before.generation).not.toBe((await fresh.feed.tip(0)).generation);
      expect((await one.feed.tip(0)).generation).toBe(before.generation);
      expect(ids(await one.feed.since(0, 1, 10))).toEqual([idOf("other")]);
    });

    test("throws instead of going on from a number that is another's", async () => {
      const one = await made();
      await one.store.revoke(token("first"));
      let told: readonly FeedEntry[] = [];
      const { generation } = await one.feed.tip(0);
      await rewound(one, async () => {
        await one.store.revoke(token("lost"));
        told = await one.feed.since(0, 1, 10);
      });
      expect(ids(told)).toEqual([idOf("lost")]);
      await one.store.revoke(token("another"));
      await expect(one.feed.since(0, 2, 10)).rejects.toThrow(/lost change 2/);
      expect((await one.feed.tip(0)).generation).not.toBe(generation);
    });

    test("has the same history where all that was lost came again", async () => {
      const one = await made();
      const until = later(clock);
      await one.store.revoke(token("first"));
      await rewound(one, async () => {
        await one.store.revoke(token("other", until));
        await one.feed.tip(0);
      });
      expect((await one.feed.tip(0)).generation).not.toContain(".");
    });
  });

  test("never skips: not what was trimmed, not what is damaged, foreign or of a later version", async () => {
    const one = await made();
    const { store, feed, key } = one;
    for (let at = 0; at < 5; at++) await store.revoke(token(`${at}`));
    let { generation } = await feed.tip(0);
    const refused = async (from: number, why: RegExp): Promise<void> => {
      await expect(feed.since(0, from, 100)).rejects.toThrow(why);
      const now = (await feed.tip(0)).generation;
      expect(now).not.toBe(generation);
      generation = now;
    };
    await admin.call("XDEL", key("feed"), "3-0");
    await refused(1, /no change 3/);
    expect(ids(await feed.since(0, 3, 100))).toEqual([idOf("3"), idOf("4")]);
    await admin.call("XTRIM", key("feed"), "MAXLEN", "1");
    await refused(1, /no change 2/);
    const good = ["kind", "flag", "key", "A".repeat(22), "epoch", "", "until", "1", "mark", "m"];
    const odd: readonly (readonly [readonly string[], RegExp])[] = [
      [["v", "2", ...good], /later version/],
      [["v", "1", ...good, "more", "1"], /later version/],
      [["a", "b"], /later version/],
      [["v", "1", ...good.with(1, "other")], /unknown kind/],
      [["v", "1", ...good.with(1, "epoch")], /cannot be read/],
      [["v", "1", ...good.with(3, "short")], /cannot be read/],
      [["v", "1", ...good.with(7, "soon")], /cannot be read/],
    ];
    for (const [fields, why] of odd) {
      await admin.call("XADD", key("feed"), "6-0", ...fields);
      await refused(5, why);
      await admin.call("DEL", key("feed"));
    }
    // What another program adds ends with the next change, and does not stop that.
    await admin.call("XADD", key("feed"), "*", "a", "b");
    await refused(5, /no change 6/);
    await store.revoke(token("last"));
    expect((await feed.tip(0)).seq).toBe(6);
    expect(ids(await feed.since(0, 5, 100))).toEqual([idOf("last")]);
    await admin.del(key("feed"));
    await admin.set(key("feed"), "text");
    await store.revoke(token("later"));
    expect(ids(await feed.since(0, 6, 100))).toEqual([idOf("later")]);
  });

  test("throws for a page that holds what it cannot read", async () => {
    const { feed, key } = await made();
    await admin.zadd(key("live"), "1", "junk");
    await expect(feed.live(0, undefined, 10)).rejects.toThrow(/cannot be read/);
    await admin.del(key("live"));
    await admin.zadd(key("live"), "1", "A".repeat(22));
    await admin.hset(key("epochs"), "A".repeat(22), "junk");
    await expect(feed.live(0, undefined, 10)).rejects.toThrow(/cannot be read/);
  });

  test("keeps a hundred thousand changes, and all that is revoked", async () => {
    const { store, key } = await made();
    await store.revoke(token("first"));
    await admin.hset(key("meta"), "seq", "150000");
    for (let at = 0; at < 201; at++) {
      const line = admin.pipeline();
      for (let each = 0; each < 500; each++) line.xadd(key("feed"), `${2 + at * 500 + each}-0`, "a", "b");
      await line.exec();
    }
    await store.revoke(token("last"));
    expect(await admin.xlen(key("feed"))).toBeLessThan(100_200);
    expect(await pages(store.feed, 100)).toEqual(expect.arrayContaining([idOf("first"), idOf("last")]));
  });

  test("begins anew with a new generation", async () => {
    const { store, feed, key } = await made();
    await store.revoke(token("first"));
    const before = await feed.tip(0);
    await admin.hset(key("meta"), "generation", "of a backup");
    const after = await feed.tip(0);
    expect(after.generation.split(".")[0]).not.toBe(before.generation);
    expect(after).toMatchObject({ seq: 0 });
    expect(after.everything).toBeGreaterThan(before.everything);
    expect(await feed.since(0, 0, 10)).toEqual([]);
    // Nobody takes the numbers of one life for those of another.
    await store.revoke(token("second"));
    await admin.hset(key("meta"), "generation", "of another");
    await expect(feed.since(0, 0, 10)).rejects.toThrow(/lost change 0/);
  });

  test("needs a primary that takes writes, for its tip as for all else", async () => {
    const alone = await lab.server("--min-replicas-to-write", "1");
    await alone.command("CONFIG", "SET", "min-replicas-to-write", "0");
    const { feed, store } = await made({ client: await opened("redis", alone.port) });
    await store.revoke(token("first"));
    await feed.tip(0);
    await alone.command("CONFIG", "SET", "min-replicas-to-write", "1");
    for (const call of [() => feed.tip(0), () => feed.since(0, 0, 1), () => feed.live(0, undefined, 1)])
      await expect(call()).rejects.toThrow(/NOREPLICAS/);
    await alone.command("CONFIG", "SET", "min-replicas-to-write", "0");
    await feed.tip(0);
  });

  test("tells what is revoked where memory has run out", async () => {
    const alone = await lab.server();
    const { feed, store } = await made({ client: await opened("redis", alone.port) });
    const { sid } = await store.open(login("alice", clock));
    await store.rotate(presented(sid, 0, clock, { grace: 0 }));
    await alone.command("CONFIG", "SET", "maxmemory", "1");
    await store.revoke(token("one"));
    expect((await store.rotate(presented(sid, 0, clock, { grace: 0 }))).outcome).toBe("reused");
    const { seq } = await feed.tip(0);
    expect(ids(await feed.since(0, 0, 10)).slice(-2)).toEqual([idOf("one"), storeKey("session", sid).toString("hex")]);
    expect(seq).toBe(2);
    expect((await pages(feed, 10)).length).toBe(3);
  });

  test("revokes and tells where nobody may publish", async () => {
    const alone = await lab.server();
    const { feed, store } = await made({ client: await opened("redis", alone.port) });
    await alone.command("ACL", "SETUSER", "default", "-publish", "resetchannels");
    await store.revoke(token("one"));
    expect(ids(await feed.since(0, 0, 10))).toEqual([idOf("one")]);
  });

  test("delivers every entry that was there throughout, whatever moves, goes and has one end with others", async () => {
    const { store, feed, key } = await made({ clock });
    const same = later(clock);
    const names = Array.from({ length: 600 }, (_, at) => `${at}`);
    const byId = new Map(names.map((name) => [idOf(name), name]));
    const until = (at: number): number => (at % 3 === 0 ? Number.POSITIVE_INFINITY : same + (at % 2));
    await Promise.all(names.map((name, at) => store.revoke(token(name, until(at)))));
    await store.revoke({ kind: "subject", subject: "alice", until: same });
    const gone = new Set<string>();
    for (const limit of [1000, 1, 7]) {
      let round = 0;
      let moved = 0;
      const found = await pages(feed, limit, async (last) => {
        round++;
        await store.revoke(token(`new ${limit} ${round}`, same));
        // The page after must find its place without the entry that it begins after.
        const name = byId.get(last);
        if (round % 5 > 1 || name === undefined) return;
        if (round % 5 === 0) {
          gone.add(last);
          await admin.zrem(key("live"), storeKey("token", name).toString("base64url"));
        } else {
          moved++;
          await store.revoke(token(name, same + 10_000));
        }
      });
      const seen = new Set(found);
      expect(names.filter((name) => !seen.has(idOf(name)) && !gone.has(idOf(name)))).toEqual([]);
      expect(seen).toContain(storeKey("subject", "alice").toString("hex"));
      expect(found.length - seen.size).toBeLessThanOrEqual(moved);
    }
  });

  describe.each(Object.keys(CLIENTS))("watched through %s", (library) => {
    const waitFor = async (done: () => unknown): Promise<void> => {
      for (let tries = 0; !(await done()); tries++) {
        if (tries > 200) throw new Error("too late");
        await sleep(20);
      }
    };

    test("hears of changes of each partition, also after its connection was lost, until the last one stops", async () => {
      const alone = await lab.server();
      const { store, feed } = await made({ client: await opened(library, alone.port), partitions: 4 });
      const lines = async (): Promise<number> => {
        const observer = new Redis(alone.port, "127.0.0.1");
        const list = String(await observer.call("CLIENT", "LIST", "TYPE", "pubsub"));
        observer.disconnect();
        return list.split("\n").filter(Boolean).length;
      };
      expect(await lines()).toBe(0);
      const heard = new Set<number>();
      let others = 0;
      const stop = feed.watch?.((partition) => heard.add(partition));
      const stopOther = feed.watch?.(() => others++);
      await waitFor(async () => {
        await store.revoke(token("one"));
        return heard.size === 4;
      });
      expect(await lines()).toBe(1);
      expect([...heard].sort()).toEqual([0, 1, 2, 3]);
      stopOther?.();
      await alone.command("CLIENT", "KILL", "TYPE", "pubsub");
      heard.clear();
      const before = others;
      await waitFor(async () => {
        await store.revoke(token("two"));
        return heard.size === 4;
      });
      expect(others).toBe(before);
      stop?.();
      stop?.();
      await waitFor(async () => (await lines()) === 0);
      const again = feed.watch?.((partition) => heard.add(partition));
      heard.clear();
      await waitFor(async () => {
        await store.revoke(token("three"));
        return heard.size > 0;
      });
      again?.();
      await waitFor(async () => (await lines()) === 0);
    });

    test("listens on a client of its own where there is one, and leaves that open", async () => {
      const feedClient = await opened(library);
      const { store, feed } = await made({ client: await opened(library), feedClient });
      const heard: number[] = [];
      const stop = feed.watch?.((partition) => heard.push(partition));
      await waitFor(async () => {
        await store.revoke(token("one"));
        return heard.length > 0;
      });
      stop?.();
      await waitFor(async () => !((await admin.call("PUBSUB", "CHANNELS")) as string[]).length);
      const other = redisStore({ client: feedClient, prefix: `t:${randomUUID()}` });
      await waitFor(() =>
        other.ready().then(
          () => true,
          () => false,
        ),
      );
    });

    test("goes with the client", async () => {
      const alone = await lab.server();
      const { client, close } = await (CLIENTS[library] as (port: number) => Promise<OpenClient>)(alone.port);
      const { store, feed } = await made({ client });
      const heard: number[] = [];
      feed.watch?.((partition) => heard.push(partition));
      await waitFor(async () => {
        await store.revoke(token("one"));
        return heard.length > 0;
      });
      close();
      await waitFor(async () => {
        const observer = new Redis(alone.port, "127.0.0.1");
        const list = String(await observer.call("CLIENT", "LIST"));
        observer.disconnect();
        return list.split("\n").filter(Boolean).length === 1;
      });
    });
  });

  test("has no watch where a pool is all there is, and refuses one that is to listen", async () => {
    const pool = createClientPool({ socket: { host: "127.0.0.1", port: server.port } });
    expect(redisStore({ client: pool }).feed.watch).toBeUndefined();
    const client = await opened();
    expect(() => redisStore({ client, feedClient: pool })).toThrow(/feedClient/);
  });
});
