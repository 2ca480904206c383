import type { JwtError } from "jwt-extended";
import { type RedisStore, type RedisStoreOptions, redisStore } from "jwt-extended/redis";
import { afterEach } from "vitest";
import { CLIENTS, type OpenClient, type RedisServer, startRedis } from "./redis.ts";

/** Servers and clients that are closed after each test. */
export function redisLab() {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const lab = {
    onEnd: (close: () => unknown): unknown => closing.push(close),
    async server(...args: string[]): Promise<RedisServer> {
      const started = await startRedis(...args);
      closing.push(() => started.close());
      return started;
    },
    async client(port: number, library = "ioredis"): Promise<OpenClient["client"]> {
      const { client, close } = await (CLIENTS[library] as (port: number) => Promise<OpenClient>)(port);
      closing.push(close);
      return client;
    },
    async storeOn(port: number, library = "ioredis", options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
      return redisStore({ client: await lab.client(port, library), warn: () => {}, ...options });
    },
  };
  return lab;
}

/** What a call that fails fails with. */
export const failure = (call: Promise<unknown>): Promise<JwtError> =>
  call.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: JwtError) => error,
  );
