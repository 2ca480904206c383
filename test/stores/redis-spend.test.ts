import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { redisStore } from "jwt-extended/redis";
import { fakeClock } from "jwt-extended/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasRedis, type RedisServer, startRedis } from "../support/redis.ts";
import { redisLab } from "../support/redis-lab.ts";
import { available } from "../support/require.ts";

const TAKER = fileURLToPath(new URL("../support/redis-taker.ts", import.meta.url));

describe.skipIf(!available("redis-server", hasRedis))("names that the Redis store lets be taken once", () => {
  const lab = redisLab();
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.port, "127.0.0.1");
  });
  afterAll(async () => {
    client.disconnect();
    await server.close();
  });

  test("go to one of fifty calls of two processes", async () => {
    const takers = [0, 1].map(() => {
      const child = spawn(process.execPath, ["--import", "tsx", TAKER, String(server.port)], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
    });
    const answers = () => Promise.all(takers.map(async ({ lines }) => (await lines.next()).value as string));
    try {
      expect(await answers()).toEqual(["ready", "ready"]);
      for (let round = 0; round < 40; round++) {
        for (const { child } of takers) child.stdin.write(`name ${round}\n`);
        const counts = (await answers()).map(Number);
        expect(counts.sort()).toEqual([0, 1]);
      }
    } finally {
      for (const { child } of takers) child.kill("SIGKILL");
    }
  });

  test("are free again when their time has passed by the clock of Redis, and only then", async () => {
    const store = redisStore({ client, prefix: "clock" });
    expect(await store.spend("one", Date.now() + 150)).toBe(true);
    expect(await store.spend("one", Date.now() + 1e9)).toBe(false);
    await sleep(160);
    expect(await store.spend("one", Number.POSITIVE_INFINITY)).toBe(true);
    expect(await store.spend("one", Date.now() + 1e9)).toBe(false);
    expect(await store.spend("past", Date.now() - 1)).toBe(true);
    expect(await store.spend("past", Date.now() - 1)).toBe(true);
    expect(await client.ttl("clock:{p00}:spent")).toBe(-1);
  });

  test("go when their time has passed, a few with each that is taken, the rest when the store is purged", async () => {
    const clock = fakeClock();
    const store = redisStore({ client, prefix: "gone", clock, partitions: 2 });
    const count = async (): Promise<number> =>
      (await client.zcard("gone:{p00}:spent")) + (await client.zcard("gone:{p01}:spent"));
    await Promise.all(Array.from({ length: 60 }, (_, at) => store.spend(`${at}`, clock() + 1000)));
    expect(await count()).toBe(60);
    clock.advance(2);
    await store.spend("next", clock() + 1000);
    expect(await count()).toBe(51);
    expect(await store.purge()).toBe(50);
    expect(await count()).toBe(1);
    expect(await store.spend("next", clock() + 1000)).toBe(false);
  });

  test("are not given out where memory has run out, or where the generation is another", async () => {
    const alone = await lab.server();
    const store = await lab.storeOn(alone.port);
    const heard: string[] = [];
    store.listen?.((notice) => heard.push(notice));
    expect(await store.spend("one", Date.now() + 1e6)).toBe(true);
    await alone.command("CONFIG", "SET", "maxmemory", "1");
    await expect(store.spend("two", Date.now() + 1e6)).rejects.toThrow(/OOM/);
    await alone.command("CONFIG", "SET", "maxmemory", "0");
    heard.length = 0;
    await alone.command("FLUSHALL");
    expect(await store.spend("one", Date.now() + 1e6)).toBe(true);
    expect(heard).toEqual(["storeForgot"]);
  });
});
