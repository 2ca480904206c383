import { randomBytes } from "node:crypto";
import { storeKey } from "../keys.ts";
import { sessionBirth } from "../session-id.ts";

/** The names of the keys of a partition. */
export type KeyName = "meta" | "epochs" | "sessions" | "live" | "index" | "due" | "dead" | "feed" | "spent" | "lineage";

/** A key of `stores/keys.ts` as Redis holds it. As text it takes no more room, and clients send and read it faster. */
export const textKey = (key: Buffer): string => key.toString("base64url");

/** The partition of a byte: its first bits, so to say, for any number of partitions. */
const share = (byte: number, partitions: number): number => Math.floor((byte * partitions) / 256);

/** The partition of what has this key, from its first bits. */
export const keyPartition = (key: Buffer, partitions: number): number => share(key[0] as number, partitions);

/**
 * The partition of a session. Its id is made here, and the first of its 16 random bytes is the first of the key of its
 * subject: so an id alone says where the session lives, with any number of partitions. 120 random bits are left.
 */
export function sessionPartition(sid: string, partitions: number): number {
  if (partitions === 1) return 0;
  if (sessionBirth(sid) === undefined) return keyPartition(storeKey("session", sid), partitions);
  return share(Buffer.from(sid, "base64url")[6] as number, partitions);
}

/** The part of a new session id behind the birth: 22 characters. The store puts the 8 of the birth before them. */
export function sessionTail(subject: Buffer): string {
  const tail = randomBytes(16);
  tail[0] = subject[0] as number;
  return tail.toString("base64url");
}

/** The key of a name in a partition. The braces put all of them into one slot. */
export function partitionKey(prefix: string, partition: number, name: KeyName): string {
  return `${prefix}:{p${String(partition).padStart(2, "0")}}:${name}`;
}
