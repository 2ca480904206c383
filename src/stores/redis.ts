import { randomBytes } from "node:crypto";
import { ConfigError } from "../errors.ts";
import type { Limits, Revocation, Rotation, StoreNotice } from "./contract.ts";
import { connect, text } from "./redis/client.ts";
import { entryKey, partitionKeys, sessionPartition, sessionTail, subjectPartition } from "./redis/keys.ts";
import type { RedisStore, RedisStoreOptions } from "./redis/options.ts";
import { IS_REVOKED, PURGE, RAISE_LIMITS, REVOKE, SECRET } from "./redis/revocation-scripts.ts";
import { decodeRow, fixedText, numberText, optionalText, readNumber, secondsText } from "./redis/rows.ts";
import { createRunner } from "./redis/runner.ts";
import { LIST, OPEN, READ, ROTATE, TOUCH } from "./redis/session-scripts.ts";
import { inspect } from "./redis/start.ts";
import { assertAwaited } from "./rotation.ts";
import { sessionBirth } from "./session-id.ts";

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
  const ofSession = (sid: string): number => sessionPartition(sid, partitions);
  const ofSubject = (subject: string): number => subjectPartition(subject, partitions);

  async function start(): Promise<void> {
    const keys = all.map((partition) => partitionKeys(prefix, partition)[0] as string);
    for (const key of connection?.cluster ? keys : keys.slice(0, 1)) {
      if (connection) await inspect(connection, key, warn);
    }
    await everywhere((partition) => runner.run(partition, SECRET, []));
  }
  let started: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    // What failed is tried again: a server may be down, or set wrongly, when the application starts.
    started ??= start().catch((error: unknown) => {
      started = undefined;
      throw error;
    });
    return started;
  };
  const run: typeof runner.run = async (...call) => {
    await ready();
    return runner.run(...call);
  };
  const endSession = (sid: string, until: number): Promise<unknown> => {
    const args = ["session", entryKey("session", sid), secondsText(until), sid];
    return run(ofSession(sid), REVOKE, args, true);
  };

  return {
    ready,
    listen(listener) {
      notify = listener;
    },
    async open(session) {
      const { subject, issuedAt, refreshExp, absoluteEnd, jkt, userAgent, address } = session;
      const name = [entryKey("subject", subject), sessionTail(subject), JSON.stringify(subject)];
      const times = [issuedAt, refreshExp, absoluteEnd].map(numberText);
      const fixed = fixedText({ ...session, csrfSeed: randomBytes(16) });
      const args = [...name, ...times, ...[jkt, userAgent, address].map(optionalText), fixed];
      const [sid, row] = ((await run(ofSubject(subject), OPEN, args)) as unknown[]).map(text);
      return decodeRow(sid as string, row as string);
    },
    async rotate(presented) {
      const { sid, subject, gen, nonce, jkt, issuedAt, refreshExp, grace, endedUntil, userAgent, address } = presented;
      const times = [issuedAt, refreshExp, grace].map(numberText);
      const ending = [entryKey("session", sid), secondsText(endedUntil)];
      const who = [sid, JSON.stringify(subject), numberText(gen), JSON.stringify(nonce), optionalText(jkt)];
      const args = [...who, ...times, ...ending, optionalText(userAgent), optionalText(address)];
      const judge = async (writesTheft: boolean): Promise<[Rotation["outcome"], string]> => {
        const answer = (await run(ofSession(sid), ROTATE, [...args, writesTheft ? "1" : ""])) as unknown[];
        return answer.map(text) as [Rotation["outcome"], string];
      };
      let [outcome, lines] = await judge(false);
      if (outcome === "reused") {
        // A command may wait in the client for long; theft is written only for a caller who still waits.
        assertAwaited(presented);
        [outcome, lines] = await judge(true);
      }
      // Whether a write must be durable is known only now: the same is written again, and waited for.
      if (outcome === "reused" && replicas > 0) await endSession(sid, endedUntil);
      return { outcome, row: lines === "" ? undefined : decodeRow(sid, lines) } as Rotation;
    },
    async read(sid) {
      const lines = text(await run(ofSession(sid), READ, [sid]));
      return lines === "" ? undefined : decodeRow(sid, lines);
    },
    async list(subject) {
      const found = ((await run(ofSubject(subject), LIST, [entryKey("subject", subject)])) as unknown[]).map(text);
      const rows = found.flatMap((sid, at) => (at % 2 === 0 ? [decodeRow(sid, found[at + 1] as string)] : []));
      return rows.filter((row) => row.subject === subject).sort((a, b) => b.born - a.born);
    },
    async touch(sid) {
      await run(ofSession(sid), TOUCH, [sid]);
    },
    async isRevoked({ jti, sid, subject, issuer, kid, iat }) {
      const born = sid === undefined ? undefined : sessionBirth(sid);
      if (sid !== undefined && born === undefined) return true;
      const session = [sid === undefined ? "" : "1", numberText(born), Number.isFinite(iat) ? numberText(iat) : ""];
      const ended = sid === undefined ? [] : [entryKey("session", sid)];
      const entries = [...ended];
      if (jti !== undefined) entries.push(entryKey("token", jti, issuer));
      if (kid !== undefined) entries.push(entryKey("key", kid));
      const home = sid === undefined ? 0 : ofSession(sid);
      const partition = subject === undefined ? home : ofSubject(subject);
      const key = subject === undefined ? "" : entryKey("subject", subject);
      const asked = [run(partition, IS_REVOKED, [...session, key, ...entries])];
      // A token of a session may be made for another subject than the session's own.
      if (sid !== undefined && home !== partition) asked.push(run(home, IS_REVOKED, [...session, "", ...ended]));
      return (await Promise.all(asked)).some((answer) => Number(answer) !== 0);
    },
    async revoke(revocation) {
      const { kind, until } = revocation;
      if (kind === "session") {
        await endSession(revocation.sid, until);
      } else if (kind === "subject") {
        const args = [kind, entryKey(kind, revocation.subject), secondsText(until), ""];
        await run(ofSubject(revocation.subject), REVOKE, args, true);
      } else {
        // Whose token it is, is not known: every partition is told, so that the check needs one only.
        const key = kind === "everything" ? "" : entryOf(revocation);
        await everywhere((partition) => run(partition, REVOKE, [kind, key, secondsText(until), ""], true));
      }
    },
    async raiseLimits(asked) {
      known = { access: Math.max(known.access, asked.access), refresh: Math.max(known.refresh, asked.refresh) };
      const args = [numberText(known.access), numberText(known.refresh)];
      const answers = await everywhere((partition) => run(partition, RAISE_LIMITS, args));
      const highest = (at: number) => Math.max(...answers.map((answer) => readNumber(text((answer as unknown[])[at]))));
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
    async secret() {
      return new Uint8Array(Buffer.from(text(await run(0, SECRET, [])), "base64url"));
    },
  };
}

const entryOf = (revocation: Extract<Revocation, { kind: "token" | "key" }>): Buffer =>
  revocation.kind === "key" ? entryKey("key", revocation.kid) : entryKey("token", revocation.jti, revocation.issuer);

function faultsOf(prefix: string, partitions: number, replicas: number): string[] {
  const faults: string[] = [];
  const whole = (value: number, from: number, to: number) => Number.isInteger(value) && value >= from && value <= to;
  if (!/^[\w.:-]{1,64}$/.test(prefix))
    faults.push("store: prefix must be 1 to 64 letters, digits and the marks . : _ -");
  if (!whole(partitions, 1, 64)) faults.push("store: partitions must be a whole number from 1 to 64.");
  if (!whole(replicas, 0, 16)) faults.push("store: replicas must be a whole number from 0 to 16.");
  return faults;
}
