import { setTimeout as sleep } from "node:timers/promises";
import { fakeClock } from "jwt-extended/testing";
import { describe, expect, test } from "vitest";
import { about, later, login, presented } from "../../src/testing/store-cases.ts";
import { CLIENTS, hasRedis, type RedisServer } from "../support/redis.ts";
import { failure, redisLab } from "../support/redis-lab.ts";
import { available } from "../support/require.ts";

const clock = fakeClock(Date.now());
const { server, client, storeOn } = redisLab();

describe.skipIf(!available("redis-server", hasRedis))("the Redis store with a replica", () => {
  async function pair(): Promise<[RedisServer, RedisServer]> {
    const primary = await server("--repl-diskless-sync-delay", "0");
    const replica = await server("--replicaof", "127.0.0.1", String(primary.port));
    await primary.replicated();
    return [primary, replica];
  }

  test.each(Object.keys(CLIENTS))(
    "acknowledges a revocation that it holds, and no other, through %s",
    async (library) => {
      const [primary, replica] = await pair();
      const store = await storeOn(primary.port, library, { replicas: 1, partitions: 2 });
      const { sid } = await store.open(login("alice", clock));
      await store.rotate(presented(sid, 0, clock));
      await primary.command("SCRIPT", "FLUSH");
      const until = later(clock);
      await store.revoke({ kind: "token", jti: "one", issuer: undefined, until });
      await store.revoke({ kind: "everything", until });
      const stolen = await store.open(login("alice", clock));
      await store.rotate(presented(stolen.sid, 0, clock, { grace: 0 }));
      replica.signal("SIGSTOP");
      await sleep(50);
      const reuse = presented(stolen.sid, 0, clock, { grace: 0 });
      for (const call of [() => store.rotate(reuse), () => store.revoke({ kind: "session", sid: stolen.sid, until })]) {
        const error = await failure(call());
        expect([error.code, error.status, error.detail]).toEqual([
          "not_durable",
          503,
          "0 of 1 replicas hold the change",
        ]);
      }
      // Not durable, but done: whoever asks this primary is told.
      expect(await store.isRevoked(about("alice", { sid: stolen.sid }))).toBe(true);
      expect((await store.read(stolen.sid))?.endedWhy).toBe("reused");
      replica.signal("SIGCONT");
      await primary.replicated();
      await store.revoke({ kind: "session", sid: stolen.sid, until });
    },
  );

  test.each(Object.keys(CLIENTS))(
    "lets checks go on while a revocation waits, with a client for each, through %s",
    async (library) => {
      const [primary, replica] = await pair();
      const durableClient = await client(primary.port, library);
      const store = await storeOn(primary.port, library, { replicas: 1, durableClient });
      const { sid } = await store.open(login("alice", clock));
      replica.signal("SIGSTOP");
      await sleep(50);
      const leaving = failure(store.revoke({ kind: "session", sid, until: later(clock) }));
      await sleep(20);
      const since = performance.now();
      expect(await store.isRevoked(about("alice", { sid }))).toBe(true);
      expect(performance.now() - since).toBeLessThan(300);
      expect((await leaving).code).toBe("not_durable");
    },
  );

  test("says that checks wait where there is one client for both", async () => {
    const said: string[] = [];
    await storeOn((await server()).port, "ioredis", { replicas: 1, warn: (message) => said.push(message) });
    expect(said.join()).toContain("durableClient");
  });

  test.each(Object.keys(CLIENTS))("believes no WAIT that was sent again elsewhere, through %s", async (library) => {
    const [primary, replica] = await pair();
    const store = await storeOn(primary.port, library, { replicas: 1 });
    const { sid } = await store.open(login("alice", clock));
    replica.signal("SIGSTOP");
    await sleep(50);
    const call = failure(store.revoke({ kind: "session", sid, until: later(clock) }));
    await sleep(200);
    // On a new connection WAIT counts every replica at once: nothing was written there.
    await primary.command("CLIENT", "KILL", "TYPE", "normal");
    const error = await call;
    if (library !== "redis")
      expect(error.detail).toBe("the connection changed while replicas were asked for the change");
  });

  test("takes no answer from the replica itself", async () => {
    const [primary, replica] = await pair();
    const error = await failure((await storeOn(replica.port)).ready());
    expect(error.message).toContain("is a replica");
    // A primary that is made a replica while it is in use.
    const store = await storeOn(primary.port);
    const { sid } = await store.open(login("alice", clock));
    await replica.command("REPLICAOF", "NO", "ONE");
    await primary.command("REPLICAOF", "127.0.0.1", String(replica.port));
    await expect(store.isRevoked(about("alice", { sid }))).rejects.toThrow(/READONLY/);
    await expect(store.read(sid)).rejects.toThrow(/READONLY/);
    await expect(store.rotate(presented(sid, 0, clock))).rejects.toThrow(/READONLY/);
  });
});
