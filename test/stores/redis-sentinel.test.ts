import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { JWTManager } from "jwt-extended";
import { type RedisClient, redisStore } from "jwt-extended/redis";
import { storeContract } from "jwt-extended/testing";
import { createSentinel } from "redis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasRedis, type RedisServer, startRedis, startSentinel } from "../support/redis.ts";
import { available } from "../support/require.ts";

const nothing = (): void => {};
const secretKey = randomBytes(48).toString("base64");

interface Opened {
  readonly client: RedisClient;
  close(): unknown;
}

const OPEN: Readonly<Record<string, (ports: readonly number[]) => Promise<Opened>>> = {
  async redis(ports) {
    const sentinelRootNodes = ports.map((port) => ({ host: "127.0.0.1", port }));
    const client = createSentinel({ name: "main", sentinelRootNodes, scanInterval: 500 });
    client.on("error", nothing);
    await client.connect();
    return { client, close: () => client.destroy() };
  },
  async ioredis(ports) {
    const sentinels = ports.map((port) => ({ host: "127.0.0.1", port }));
    const client = new Redis({ sentinels, name: "main", retryStrategy: () => 50, sentinelRetryStrategy: () => 50 });
    client.on("error", nothing);
    return { client, close: () => client.disconnect() };
  },
};

describe.skipIf(!available("redis-server", hasRedis))("the Redis store behind Sentinel", () => {
  let data: RedisServer[] = [];
  let sentinels: RedisServer[] = [];
  let admin: Redis;
  const opened: Record<string, Opened> = {};
  const clientOf = (library: string): RedisClient => (opened[library] as Opened).client;
  const primaryPort = async (): Promise<number> =>
    Number(((await admin.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")) as string[])[1]);

  beforeAll(async () => {
    const primary = await startRedis("--repl-diskless-sync-delay", "0");
    const replica = await startRedis("--replicaof", "127.0.0.1", String(primary.port));
    data = [primary, replica];
    sentinels = await Promise.all([0, 1, 2].map(() => startSentinel(primary.port)));
    const ports = sentinels.map(({ port }) => port);
    admin = new Redis(ports[0] as number, "127.0.0.1");
    await primary.replicated();
    const known = async (): Promise<boolean> => {
      const fields = (await admin.call("SENTINEL", "MASTER", "main")) as string[];
      const field = (name: string) => fields[fields.indexOf(name) + 1];
      return field("num-slaves") === "1" && field("num-other-sentinels") === "2";
    };
    while (!(await known())) await sleep(50);
    for (const [library, open] of Object.entries(OPEN)) opened[library] = await open(ports);
  });
  afterAll(async () => {
    for (const { close } of Object.values(opened)) await close();
    admin?.disconnect();
    for (const server of [...sentinels, ...data]) await server.close();
  });

  for (const library of Object.keys(OPEN)) {
    describe(`through ${library}`, () => {
      const cases = storeContract(async (clock) => {
        const store = redisStore({ client: clientOf(library), prefix: `t:${randomUUID()}`, clock });
        await store.ready();
        return store;
      });
      for (const { name, run } of cases) test(name, run);
    });
  }

  test("goes on within seconds of a failover, and logs nobody out", async () => {
    const stores = Object.keys(OPEN).map((library) =>
      redisStore({ client: clientOf(library), replicas: 1, prefix: library, warn: nothing }),
    );
    const managers = stores.map((store) => new JWTManager({ secretKey, store }));
    const heard = stores.map(() => 0);
    const watching = stores.map(({ feed }, at) => feed.watch?.(() => heard.splice(at, 1, (heard[at] as number) + 1)));
    const clients = await Promise.all(
      managers.flatMap((manager) =>
        Array.from({ length: 10 }, async (_, at) => {
          const { refresh_token } = await manager.createTokenPair(`user ${at}`);
          return { manager, token: refresh_token, refreshed: 0, failed: 0 };
        }),
      ),
    );
    const ended = await Promise.all(
      managers.map(async (manager) => {
        const pair = await manager.createTokenPair("leaver");
        await manager.revokeToken(pair.refresh_token);
        return { manager, token: pair.refresh_token };
      }),
    );
    await data[0]?.replicated();
    let isOver = false;
    // Honest clients: whatever is not answered is asked again with the same token.
    const work = clients.map(async (client) => {
      while (!isOver) {
        try {
          client.token = (await client.manager.refreshTokenPair(client.token)).refresh_token;
          client.refreshed++;
        } catch (error) {
          expect(error).toMatchObject({ status: 503 });
          client.failed++;
        }
        await sleep(20);
      }
    });
    await sleep(100);
    const before = await primaryPort();
    const began = performance.now();
    while ((await admin.call("SENTINEL", "FAILOVER", "main").catch(() => "")) !== "OK") await sleep(100);
    while ((await primaryPort()) === before) await sleep(20);
    const counts = clients.map(({ refreshed }) => refreshed);
    while (clients.some(({ refreshed }, at) => refreshed < (counts[at] as number) + 3)) {
      expect(performance.now() - began).toBeLessThan(15_000);
      await sleep(50);
    }
    isOver = true;
    await Promise.all(work);
    for (const { manager, token } of ended) {
      await expect(manager.refreshTokenPair(token)).rejects.toMatchObject({ status: 401 });
    }
    // Those who watch are told of changes by the new primary, too.
    heard.fill(0);
    while (heard.includes(0)) {
      expect(performance.now() - began).toBeLessThan(15_000);
      for (const manager of managers) await manager.revokeSubject("nobody").catch(nothing);
      await sleep(100);
    }
    for (const stop of watching) stop?.();
  });
});
