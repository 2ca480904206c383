import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { end, freePort, start } from "./processes.ts";
import { type Line, startProxy } from "./proxy.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { until } from "./report.ts";
import type { Server } from "./servers.ts";

/** Several servers that replace one that dies by themselves. */
export interface Group {
  /** Where clients ask for the others: a node of the cluster, or a sentinel. */
  readonly port: number;
  /** SIGKILL of a primary. Resolves when another server has taken its place. */
  failover(): Promise<void>;
  close(): Promise<void>;
}

const PRIMARIES = 3;
const SLOTS = 16_384;
const CLUSTER = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"];

interface Node {
  readonly server: RedisServer;
  readonly proxy: Line;
}

async function startNode(): Promise<Node> {
  const server = await startRedis(...CLUSTER, "--cluster-port", String(await freePort()));
  return { server, proxy: await startProxy(server.port) };
}

const allOk = (nodes: readonly Node[]): Promise<void> =>
  until("the cluster", async () => {
    const states = nodes.map(({ server }) => server.command("CLUSTER", "INFO"));
    return (await Promise.all(states)).every((state) => String(state).includes("cluster_state:ok"));
  });

/**
 * Starts a Redis Cluster of three primaries, each with so many replicas. Its nodes name themselves by the ports of proxies, so that what goes on
 * between clients and all nodes can be made long or cut.
 */
export async function startCluster(replicas = 0): Promise<Server & Group & { readonly line: Line }> {
  const nodes = await Promise.all(Array.from({ length: PRIMARIES * (1 + replicas) }, startNode));
  const primaries = nodes.slice(0, PRIMARIES);
  const [seed] = nodes as [Node];
  const announce = async (): Promise<void> => {
    for (const { server, proxy } of nodes)
      await server.command("CONFIG", "SET", "cluster-announce-port", String(proxy.port));
  };
  const every = <T>(act: (node: Node) => T): Promise<Awaited<T>[]> => Promise.all(nodes.map(act));

  for (const [at, { server }] of primaries.entries()) {
    const [first, next] = [at, at + 1].map((part) => Math.round((part * SLOTS) / PRIMARIES)) as [number, number];
    await server.command("CLUSTER", "ADDSLOTSRANGE", String(first), String(next - 1));
  }
  for (const { server } of nodes.slice(1)) {
    const bus = String(((await server.command("CONFIG", "GET", "cluster-port")) as string[])[1]);
    await seed.server.command("CLUSTER", "MEET", "127.0.0.1", String(server.port), bus);
  }
  for (const [at, { server }] of nodes.slice(PRIMARIES).entries()) {
    const id = String(await (primaries[at % PRIMARIES] as Node).server.command("CLUSTER", "MYID"));
    const follows = (): Promise<boolean> =>
      server.command("CLUSTER", "REPLICATE", id).then(
        () => true,
        () => false,
      );
    await until("a node that knows its primary", follows);
  }
  await announce();
  await allOk(nodes);
  if (replicas > 0) await replicated(primaries.map(({ server }) => server));

  return {
    port: seed.proxy.port,
    line: {
      port: seed.proxy.port,
      delay: (milliseconds) => void every(({ proxy }) => proxy.delay(milliseconds)),
      lead: () => {
        throw new Error("the nodes of a cluster are not led elsewhere");
      },
      cut: () => void every(({ proxy }) => proxy.cut()),
      mend: () => void every(({ proxy }) => proxy.mend()),
      close: () => {},
    },
    async start() {
      await every(({ server }) => server.start());
      await announce();
      await allOk(nodes);
    },
    kill: async () => void (await every(({ server }) => server.kill())),
    hang: () => void every(({ server }) => server.hang()),
    resume: () => void every(({ server }) => server.resume()),
    readOnly: async (on) => void (await every(({ server }) => server.readOnly(on))),
    empty: async () => void (await every(({ server }) => server.empty())),
    async failover() {
      // The seed stays, for those who only know that one.
      const [dying, ...others] = nodes.slice(1) as [Node, ...Node[]];
      await dying.server.kill();
      dying.proxy.cut();
      await pauseUntilOk([seed, ...others]);
    },
    async close() {
      await every(async ({ server, proxy }) => {
        proxy.close();
        await server.close();
      });
    },
  };
}

/** A cluster that lost a primary is in order until it has noticed, out of it, and then in order again. */
async function pauseUntilOk(nodes: readonly Node[]): Promise<void> {
  const marks = async (): Promise<string> => String(await (nodes[0] as Node).server.command("CLUSTER", "NODES"));
  await until("the loss noticed", async () => /master,fail /.test(await marks()));
  await allOk(nodes);
}

const replicated = async (servers: readonly RedisServer[]): Promise<void> => {
  for (const server of servers) {
    const online = async (): Promise<boolean> =>
      /state=online/.test(String(await server.command("INFO", "replication")));
    await until("a replica", online);
  }
};

/** Starts a primary with a replica, and three sentinels that watch them. */
export async function startSentinels(): Promise<Group> {
  const primary = await startRedis("--repl-diskless-sync-delay", "0");
  const replica = await startRedis("--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1", String(primary.port));
  await replicated([primary]);
  const folder = mkdtempSync(join(tmpdir(), "jx-faults-sentinel-"));
  const sentinels = await Promise.all(
    [0, 1, 2].map(async (at) => {
      const port = await freePort();
      const file = join(folder, `${at}.conf`);
      const lines = [
        `port ${port}`,
        "bind 127.0.0.1",
        `sentinel monitor main 127.0.0.1 ${primary.port} 2`,
        "sentinel down-after-milliseconds main 1000",
        "sentinel failover-timeout main 3000",
      ];
      writeFileSync(file, lines.join("\n"));
      return { port, child: start("redis-server", [file, "--sentinel"]) };
    }),
  );
  const { port } = sentinels[0] as (typeof sentinels)[number];
  const ask = async (...words: readonly string[]): Promise<readonly string[]> => {
    const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true, retryStrategy: () => null });
    client.on("error", () => {});
    try {
      await client.connect();
      return (await client.call("SENTINEL", ...words)) as readonly string[];
    } catch {
      return [];
    } finally {
      client.disconnect();
    }
  };
  await until("sentinels that know each other", async () => {
    const fields = await ask("MASTER", "main");
    const field = (name: string): string | undefined => fields[fields.indexOf(name) + 1];
    return field("num-slaves") === "1" && field("num-other-sentinels") === "2";
  });
  return {
    port,
    async failover() {
      await primary.kill();
      await until("a new primary", async () => {
        const [, now] = await ask("GET-MASTER-ADDR-BY-NAME", "main");
        return now === String(replica.port);
      });
    },
    async close() {
      for (const { child } of sentinels) await end(child, "SIGKILL");
      await Promise.all([primary.close(), replica.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
