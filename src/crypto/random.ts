import { randomBytes, randomUUID } from "node:crypto";

const POOL = 4096;
let pool = Buffer.alloc(0);
let used = 0;

/** 128 random bits as 22 characters of base64url. */
export function randomId(): string {
  // One call to the system fills many ids: the call costs more than the bytes.
  if (used + 16 > pool.length) {
    pool = randomBytes(POOL);
    used = 0;
  }
  used += 16;
  return pool.toString("base64url", used - 16, used);
}

/** A random version-4 UUID (RFC 9562 §5.4). */
export const randomUuid = (): string => randomUUID();
