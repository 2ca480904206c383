import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Cluster, Redis } from "ioredis";
import { Cluster as ValkeyCluster } from "iovalkey";
import { type RedisClient, redisStore } from "jwt-extended/redis";
import { storeContract } from "jwt-extended/testing";
import { createClient, createClientPool, createCluster } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeKey } from "../../src/stores/keys.ts";
import { slotOf } from "../../src/stores/redis/client.ts";
import { keyPartition } from "../../src/stores/redis/keys.ts";
import { fakeClock } from "../../src/testing/clock.ts";
import { later, login } from "../../src/testing/store-cases.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis.ts";
import { available } from "../support/require.ts";

const HALF = 8191;
const nothing = (): void => {};
const until = async (done: () => Promise<boolean>): Promise<void> => {
  while (!(await done())) await sleep(50);
};

interface OpenCluster {
  readonly client: RedisClient;
  close(): unknown;
}

const OPEN: Readonly<Record<string, (port: number) => Promise<OpenCluster>>> = {
  async redis(port) {
    const client = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] });
    client.on("error", nothing);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  async ioredis(port) {
    const client = new Cluster([{ host: "127.0.0.1", port }]);
    client.on("error", nothing);
    return { client, close: () => client.disconnect() };
  },
  async iovalkey(port) {
    const client = new ValkeyCluster([{ host: "127.0.0.1", port }]);
    client.on("error", nothing);
    return { client, close: () => client.disconnect() };
  },
};

describe.skipIf(!available("redis-server", hasRedis))("the Redis store on a cluster", () => {
  /** Two primaries, and a replica of the first. */
  let servers: RedisServer[] = [];
  const opened: Record<string, OpenCluster> = {};
  beforeAll(async () => {
    servers = await Promise.all([0, 1, 2].map(() => startRedis("--cluster-enabled", "yes")));
    const [one, two, replica] = servers as [RedisServer, RedisServer, RedisServer];
    await one.command("CLUSTER", "ADDSLOTSRANGE", "0", String(HALF));
    await two.command("CLUSTER", "ADDSLOTSRANGE", String(HALF + 1), "16383");
    for (const { port } of [two, replica]) await one.command("CLUSTER", "MEET", "127.0.0.1", String(port));
    const admin = new Redis(one.port, "127.0.0.1");
    const id = (await admin.call("CLUSTER", "MYID")) as string;
    admin.disconnect();
    await until(async () => (await replica.command("CLUSTER", "REPLICATE", id)) === "+OK");
    await one.replicated();
    for (const [library, open] of Object.entries(OPEN)) opened[library] = await open(one.port);
    for (const { client } of Object.values(opened)) {
      const ready = redisStore({ client, partitions: 8, prefix: "ready" });
      await until(() =>
        ready.ready().then(
          () => true,
          () => false,
        ),
      );
    }
  });
  afterAll(async () => {
    for (const { close } of Object.values(opened)) await close();
    for (const server of servers) await server.close();
  });

  test("knows the slot of a key", async () => {
    const [server] = servers as [RedisServer];
    for (const key of ["jx:{p00}:meta", "jx:{p07}:meta", "other:{p31}:live"]) {
      expect(await server.command("CLUSTER", "KEYSLOT", key)).toBe(`:${slotOf(key)}`);
    }
    const halves = new Set([0, 1, 2, 3, 4, 5, 6, 7].map((one) => slotOf(`jx:{p0${one}}:meta`) <= HALF));
    expect(halves.size).toBe(2);
  });

  for (const library of Object.keys(OPEN)) {
    describe(`through ${library}`, () => {
      const cases = storeContract(async (clock) => {
        const { client } = opened[library] as OpenCluster;
        const store = redisStore({ client, prefix: `t:${randomUUID()}`, partitions: 8, clock });
        await store.ready();
        return store;
      });
      for (const { name, run } of cases) test(name, run);

      test("asks the replicas of the very primary that was written to", async () => {
        const { client } = opened[library] as OpenCluster;
        const clock = fakeClock(Date.now());
        const store = redisStore({ client, partitions: 8, replicas: 1, prefix: `t:${randomUUID()}` });
        const seen = new Set<boolean>();
        for (let round = 0; round < 24; round++) {
          const subject = `user ${round}`;
          await store.open(login(subject, clock));
          const held = slotOf(`{p0${keyPartition(storeKey("subject", subject), 8)}}`) <= HALF;
          seen.add(held);
          const call = store.revoke({ kind: "subject", subject, until: later(clock) });
          if (held) await call;
          else await expect(call).rejects.toMatchObject({ code: "not_durable" });
          if (seen.size === 2 && round > 4) break;
        }
        expect(seen.size).toBe(2);
      });
    });
  }

  test("refuses a client that knows no clusters", async () => {
    const client = createClient({ socket: { host: "127.0.0.1", port: servers[0]?.port as number } });
    client.on("error", nothing);
    await client.connect();
    await expect(redisStore({ client }).ready()).rejects.toThrow(/Give a cluster client/);
    client.destroy();
  });
});

describe.skipIf(!available("redis-server", hasRedis))("the Redis store through a pool of connections", () => {
  test("waits for replicas on one of them", async () => {
    const primary = await startRedis("--repl-diskless-sync-delay", "0");
    const replica = await startRedis("--replicaof", "127.0.0.1", String(primary.port));
    const pool = createClientPool({ socket: { host: "127.0.0.1", port: primary.port } }, { minimum: 4, maximum: 8 });
    pool.on("error", nothing);
    try {
      await primary.replicated();
      await pool.connect();
      const store = redisStore({ client: pool, replicas: 1 });
      const clock = fakeClock(Date.now());
      const ends = Array.from({ length: 20 }, async (_, at) => {
        const { sid } = await store.open(login(`user ${at}`, clock));
        await store.revoke({ kind: "session", sid, until: later(clock) });
      });
      await Promise.all(ends);
    } finally {
      pool.destroy();
      await replica.close();
      await primary.close();
    }
  });
});
