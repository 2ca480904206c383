import { connect, createServer } from "node:net";
import { Redis } from "ioredis";
import { Client } from "pg";
import { openLab } from "../../scripts/faults/labs.ts";
import { openStore, type Place } from "../../scripts/faults/places.ts";
import { postgresUser } from "../../scripts/faults/postgres-server.ts";
import { pause, until } from "../../scripts/faults/report.ts";
import { type ReplicatedStore, replicatedStore } from "../../src/stores/replica/replica.ts";
import type { Job } from "../jobs.ts";
import type { Effort, Ratio } from "../measure.ts";

/** As many revocations as a pool has connections. */
const AT_ONCE = 10;

/** A way to a server on which the bytes are counted, both ways. */
async function countedWay(to: number): Promise<{ readonly port: number; bytes(): number; close(): void }> {
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on("error", () => {}).on("close", () => into.destroy());
      from.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        into.write(chunk);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { port, bytes: () => bytes, close: () => server.close() };
}

/** Bytes of memory or disk that the server holds for what is revoked. */
async function heldBy(place: Place): Promise<number> {
  if (place.kind === "redis") {
    const client = new Redis(place.port, "127.0.0.1");
    const info = await client.info("memory");
    client.disconnect();
    return Number(/used_memory:(\d+)/.exec(info)?.[1]);
  }
  const client = new Client({ ...postgresUser, host: "127.0.0.1", port: (place as { port: number }).port });
  await client.connect();
  const { rows } = await client.query(
    "select pg_total_relation_size('jx_flags') + pg_total_relation_size('jx_feed') as bytes",
  );
  await client.end();
  return Number(rows[0].bytes);
}

const appliedOf = (replica: ReplicatedStore): number => replica.status().partitions[0]?.applied ?? 0;

async function measure(kind: "postgres" | "redis", { quick }: Effort): Promise<readonly Ratio[]> {
  const lab = await openLab(kind);
  const place = lab.place as Exclude<Place, { kind: "memory" | "sqlite" }>;
  const way = await countedWay(place.port);
  const [writer, reader] = [openStore(place), openStore({ ...place, port: way.port })];
  const [before, changes, checks] = quick ? [2_000, 40, 100] : [20_000, 200, 1_000];
  let count = 0;
  const revoke = (): unknown =>
    writer.store.revoke({ kind: "token", jti: `revoked ${count++}`, issuer: undefined, until: Date.now() + 9e8 });
  /** Nanoseconds that something takes. */
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = performance.now();
    await work();
    return (performance.now() - begun) * 1e6;
  };
  /** Bytes on the way while something goes on. */
  const during = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = way.bytes();
    await work();
    return way.bytes() - begun;
  };
  try {
    await revoke();
    const empty = await heldBy(place);
    const revoking = await timed(async () => {
      for (let at = 0; at < before; at += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, revoke));
    });
    const stored = (await heldBy(place)) - empty;

    const query = { sid: undefined, subject: "ada", issuer: undefined, kid: undefined, iat: 2 ** 31 };
    const ask = (at: number): unknown => reader.store.isRevoked({ ...query, jti: `good ${at}` });
    await ask(0);
    const asked = await during(async () => {
      for (let at = 0; at < checks; at++) await ask(at);
    });
    let replica: ReplicatedStore | undefined;
    let filling = 0;
    const snapshot = await during(async () => {
      filling = await timed(() => {
        replica = replicatedStore(reader.store);
        return replica.ready();
      });
    });
    await pause(2_000);
    const SILENCE = quick ? 3 : 20;
    const silence = (await during(() => pause(SILENCE * 1_000))) / SILENCE;
    const begun = performance.now();
    const followed = await during(async () => {
      for (let at = 0; at < changes; at++) {
        await revoke();
        await pause(30);
      }
      await until("the copy", () => replica && appliedOf(replica) >= count);
    });
    const change = (followed - (silence * (performance.now() - begun)) / 1_000) / changes;
    replica?.close();

    const figure = `replica: traffic, ${kind}`;
    const row = (ours: string, bytes: number): Ratio => {
      const check = asked / checks;
      const median = check / bytes;
      const memory = [bytes, check] as const;
      const over = "asking about a token";
      return { figure, ours, over, median, lower: median, upper: median, oursNs: bytes, overNs: check, memory };
    };
    const rows = [
      row("a change, followed", change),
      row("a second of silence", silence),
      row("an entry of a snapshot", snapshot / count),
      row("an entry in the store, with its change", stored / before),
    ];
    const pace = (ours: string, ns: number): Ratio => {
      const one = { figure: `replica: pace, ${kind}`, over: "a second", median: 1e9 / ns, oursNs: ns, overNs: 1e9 };
      return { ...one, ours, lower: one.median, upper: one.median };
    };
    const paces = [
      pace(`a revocation, ${AT_ONCE} at once`, revoking / before),
      pace("an entry of a snapshot", filling / count),
    ];
    console.log(
      `${figure}: ${[...rows.map(({ ours, oursNs }) => `${ours} ${Math.round(oursNs)} bytes`), `asking about a token ${Math.round(asked / checks)} bytes`].join(", ")}`,
    );
    return [...rows, ...paces];
  } finally {
    await Promise.all([writer.close(), reader.close()]);
    way.close();
    await lab.close();
  }
}

/** What goes over the wire, and what is held in the store, in bytes. */
export const trafficJobs: readonly Job[] = (["redis", "postgres"] as const).map((kind) => ({
  name: `replica: traffic of ${kind}`,
  measure: (effort) => measure(kind, effort),
}));
