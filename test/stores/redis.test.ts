import { randomUUID } from "node:crypto";
import { redisStore } from "jwt-extended/redis";
import { storeContract } from "jwt-extended/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { CLIENTS, hasRedis, type OpenClient, type RedisServer, startRedis } from "../support/redis.ts";
import { available } from "../support/require.ts";

describe.skipIf(!available("redis-server", hasRedis))("the Redis store keeps the contract", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());

  for (const [library, open] of Object.entries(CLIENTS)) {
    for (const partitions of [1, 8]) {
      describe(`through ${library}, partitions: ${partitions}`, () => {
        let opened: OpenClient;
        beforeAll(async () => {
          opened = await open(server.port);
        });
        afterAll(() => opened.close());
        const cases = storeContract(async (clock) => {
          const store = redisStore({ client: opened.client, prefix: `t:${randomUUID()}`, partitions, clock });
          await store.ready();
          return store;
        });
        for (const { name, run } of cases) test(name, run);
      });
    }
  }
});
