import { createHash, randomBytes } from "node:crypto";
import { sessionBirth } from "../session-id.ts";

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

/** What an entry of `live` is about. */
export type EntryKind = "token" | "session" | "subject" | "key";

/**
 * The name of a revocation: 16 bytes, whatever the text behind it holds. The length of a foreign issuer stands in the
 * kind, so that no issuer and value together read like another pair.
 */
export function entryKey(kind: EntryKind, value: string, issuer?: string): Buffer {
  const marked = issuer === undefined ? kind : `${kind}:${issuer.length}:${issuer}`;
  return sha256(`${marked}\0${value}`).subarray(0, 16);
}

/** The partition of a byte: its first bits, so to say, for any number of partitions. */
const share = (byte: number, partitions: number): number => Math.floor((byte * partitions) / 256);

/** The partition of a subject, from the first bits of its hash. */
export const subjectPartition = (subject: string, partitions: number): number =>
  partitions === 1 ? 0 : share(sha256(subject)[0] as number, partitions);

/**
 * The partition of a session. Its id is made here, and the first of its 16 random bytes is the first of the hash of its
 * subject: so an id alone says where the session lives, with any number of partitions. 120 random bits are left.
 */
export function sessionPartition(sid: string, partitions: number): number {
  if (partitions === 1) return 0;
  const hint = sessionBirth(sid) === undefined ? sha256(sid)[0] : Buffer.from(sid, "base64url")[6];
  return share(hint as number, partitions);
}

/** The part of a new session id behind the birth: 22 characters. The store puts the 8 of the birth before them. */
export function sessionTail(subject: string): string {
  const tail = randomBytes(16);
  tail[0] = sha256(subject)[0] as number;
  return tail.toString("base64url");
}

/** The keys of a partition, in the order in which the scripts name them. The braces put them into one slot. */
export function partitionKeys(prefix: string, partition: number): readonly string[] {
  const base = `${prefix}:{p${String(partition).padStart(2, "0")}}`;
  return ["meta", "live", "epochs", "sessions", "index", "due", "dead", "lineage"].map((name) => `${base}:${name}`);
}
