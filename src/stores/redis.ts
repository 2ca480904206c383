import { ConfigError } from "../errors.ts";
import type { Limits, StoreNotice } from "./contract.ts";
import { connect, text } from "./redis/client.ts";
import { createFeed } from "./redis/feed.ts";
import { partitionKey } from "./redis/keys.ts";
import type { RedisStore, RedisStoreOptions } from "./redis/options.ts";
import { PURGE, RAISE_LIMITS, SECRET } from "./redis/revocation-scripts.ts";
import { revocationsOf } from "./redis/revocations.ts";
import { numberText } from "./redis/rows.ts";
import { type Calls, createRunner } from "./redis/runner.ts";
import { sessionsOf } from "./redis/sessions.ts";
import { inspect } from "./redis/start.ts";
import { createWatch } from "./redis/watch.ts";

export type {
  IoredisClient,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisSentinel,
  RedisClient,
} from "./redis/client.ts";
export type { RedisStore, RedisStoreOptions } from "./redis/options.ts";

/**
 * Remembers sessions and revocations in Redis, for any number of processes. Every operation is one atomic script, and
 * its clock is that of Redis. See `docs/stores/redis.md` for what Redis can promise and what it cannot.
 *
 * @throws ConfigError where an option cannot work
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  const { client, prefix = "jx", partitions = 1, replicas = 0, clock } = options;
  const warn = options.warn ?? ((message: string) => console.warn(`jwt-extended: ${message}`));
  const connection = connect(client);
  const durable = options.durableClient === undefined ? connection : connect(options.durableClient);
  const faults = faultsOf(prefix, partitions, replicas);
  if (!connection) faults.unshift("store: client must be a client of redis (node-redis), ioredis or iovalkey.");
  if (connection && !durable)
    faults.unshift("store: durableClient must be a client of redis (node-redis), ioredis or iovalkey.");
  if (!connection || !durable || faults.length > 0) throw new ConfigError(faults);
  if (replicas > 0 && durable === connection) {
    warn("replicas is set without durableClient: while a revocation waits for a replica, every check waits, too.");
  }

  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const channels = all.map((partition) => partitionKey(prefix, partition, "feed"));
  const watch = createWatch(client, options.feedClient, channels);
  const everywhere = <T>(visit: (partition: number) => Promise<T>): Promise<T[]> => Promise.all(all.map(visit));
  let known: Limits = { access: 0, refresh: 0 };
  let notify: (notice: StoreNotice) => void = () => {};
  const told = new Set<number>();
  const onForgotten = (partition: number): void => {
    // The partitions of one server forget together, and are found one after the other: that is one notice.
    const again = told.size === 0 || told.has(partition);
    if (again) told.clear();
    told.add(partition);
    if (again) notify("storeForgot");
  };
  const runner = createRunner({
    connection,
    durable,
    prefix,
    partitions,
    replicas,
    clock,
    limits: () => known,
    onForgotten,
  });
  async function start(): Promise<void> {
    const keys = all.map((partition) => partitionKey(prefix, partition, "meta"));
    for (const key of connection?.cluster ? keys : keys.slice(0, 1)) {
      if (connection) await inspect(connection, key, warn);
    }
    await everywhere((partition) => runner.run(partition, SECRET, []));
  }
  let started: Promise<void> | undefined;
  let isReady = false;
  const ready = (): Promise<void> => {
    // What failed is tried again: a server may be down, or set wrongly, when the application starts.
    started ??= start().then(
      () => {
        isReady = true;
      },
      (error: unknown) => {
        started = undefined;
        throw error;
      },
    );
    return started;
  };
  const run: typeof runner.run = (...call) => (isReady ? runner.run(...call) : ready().then(() => runner.run(...call)));
  const calls: Calls = { run, everywhere, partitions, channels };

  return {
    ready,
    listen(listener) {
      notify = listener;
    },
    ...sessionsOf(calls),
    ...revocationsOf(calls),
    async raiseLimits(asked) {
      known = { access: Math.max(known.access, asked.access), refresh: Math.max(known.refresh, asked.refresh) };
      const args = [numberText(known.access), numberText(known.refresh)];
      const answers = await everywhere((partition) => run(partition, RAISE_LIMITS, args));
      const highest = (at: number) => Math.max(...answers.map((answer) => Number(text((answer as unknown[])[at]))));
      known = { access: Math.max(known.access, highest(0)), refresh: Math.max(known.refresh, highest(1)) };
      return known;
    },
    async purge() {
      const counts = await everywhere(async (partition) => {
        for (let gone = 0; ; ) {
          const [count, more] = ((await run(partition, PURGE, [])) as unknown[]).map(Number);
          gone += count as number;
          if (more !== 1) return gone;
        }
      });
      return counts.reduce((sum, count) => sum + count, 0);
    },
    feed: createFeed(calls, watch),
    async secret() {
      return new Uint8Array(Buffer.from(text(await run(0, SECRET, [])), "base64url"));
    },
  };
}

function faultsOf(prefix: string, partitions: number, replicas: number): string[] {
  const faults: string[] = [];
  const whole = (value: number, from: number, to: number) => Number.isInteger(value) && value >= from && value <= to;
  if (!/^[\w.:-]{1,64}$/.test(prefix))
    faults.push("store: prefix must be 1 to 64 letters, digits and the marks . : _ -");
  if (!whole(partitions, 1, 64)) faults.push("store: partitions must be a whole number from 1 to 64.");
  if (!whole(replicas, 0, 16)) faults.push("store: replicas must be a whole number from 0 to 16.");
  return faults;
}
