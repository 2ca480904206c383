import { randomUUID } from "node:crypto";
import { redisStore } from "jwt-extended/redis";
import { storeContract } from "jwt-extended/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import {
  CLIENTS,
  hasRedis,
  type OpenClient,
  type RedisServer,
  startData,
  startRedis,
  VALKEY,
} from "../support/redis.ts";
import { available } from "../support/require.ts";

describe.skipIf(!available("redis-server", hasRedis))("the Redis store keeps the contract", () => contract(startRedis));

if (VALKEY) describe("the Redis store keeps the contract on Valkey", () => contract(() => startData(VALKEY as string)));
else console.info("Valkey is not tested here: set VALKEY_SERVER to the path of valkey-server.");

function contract(start: () => Promise<RedisServer>): void {
  let server: RedisServer;
  beforeAll(async () => {
    server = await start();
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
}
