import { randomBytes } from "node:crypto";

/** base64url of the birth as 48-bit milliseconds and 16 random bytes. */
export function newSessionId(born: number): string {
  const id = randomBytes(22);
  id.writeUIntBE(born, 0, 6);
  return id.toString("base64url");
}

/** The birth of a session in milliseconds, read from its id; `undefined` for text that is no session id. */
export function sessionBirth(sid: string): number | undefined {
  // 22 bytes are 29 and a third characters: the last of 30 has four bits that must be zero.
  if (!/^[A-Za-z0-9_-]{29}[AQgw]$/.test(sid)) return undefined;
  return Buffer.from(sid, "base64url").readUIntBE(0, 6);
}
