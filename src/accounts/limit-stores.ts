import { RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";
import type { MakeLimiter } from "./limits.ts";

/** Counts in the memory of this process: each process has limits of its own, and a restart forgets them. */
export const memoryLimits: MakeLimiter = (rule) => new RateLimiterMemory(rule);

/** Counts in Redis or Valkey, for all processes together. `client` is of `ioredis`, `iovalkey` or `redis`; it stays yours. */
export function redisLimits(client: object): MakeLimiter {
  // Clients of `redis` take the arguments of a script as an object, and define no commands of their own.
  const useRedisPackage = typeof (client as { defineCommand?: unknown }).defineCommand !== "function";
  return (rule) => new RateLimiterRedis({ ...rule, storeClient: client, useRedisPackage });
}
