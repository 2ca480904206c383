/** A process of its own that takes names, for tests: `redis-taker.ts PORT`; each line it reads is a name, each it writes how often it got it. */
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { redisStore } from "../../src/stores/redis.ts";

const client = new Redis(Number(process.argv[2]), "127.0.0.1");
const store = redisStore({ client });
await store.ready();
console.log("ready");
for await (const name of createInterface({ input: process.stdin })) {
  const calls = Array.from({ length: 25 }, () => store.spend(name, Date.now() + 60_000));
  console.log((await Promise.all(calls)).filter(Boolean).length);
}
client.disconnect();
