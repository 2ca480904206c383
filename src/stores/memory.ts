import { randomBytes } from "node:crypto";
import type { NewSession, Revocation, RevocationQuery, SessionRow, TokenStore } from "./contract.ts";

/** Settings of `memoryStore`. */
export interface MemoryStoreOptions {
  /** States that this process is the only one, which makes the store acceptable in production. @default false */
  readonly singleProcess?: boolean | undefined;
  /** The present time in milliseconds. @default Date.now */
  readonly clock?: (() => number) | undefined;
}

const singleProcess = new WeakMap<TokenStore, boolean>();

/** Whether a memory store may run in production; `undefined` for any other store. */
export function isSingleProcess(store: TokenStore): boolean | undefined {
  return singleProcess.get(store);
}

/** base64url of the birth as 48-bit milliseconds and 16 random bytes. */
export function newSessionId(born: number): string {
  const id = randomBytes(22);
  id.writeUIntBE(born, 0, 6);
  return id.toString("base64url");
}

/** The birth of a session in milliseconds, read from its id; `undefined` for text that is no session id. */
export function sessionBirth(sid: string): number | undefined {
  if (!/^[A-Za-z0-9_-]{30}$/.test(sid)) return undefined;
  return Buffer.from(sid, "base64url").readUIntBE(0, 6);
}

const PURGE_EVERY = 60_000;

/**
 * Remembers sessions and revocations in this process. A restart forgets them, and with them everybody's login: tokens
 * older than the store are refused, so that nothing revoked comes back. Two processes know nothing of each other.
 */
export function memoryStore(options: MemoryStoreOptions = {}): TokenStore {
  const clock = options.clock ?? Date.now;
  const sessions = new Map<string, SessionRow>();
  const flags = new Map<string, number>();
  const epochs = new Map<string, { readonly at: number; readonly until: number }>();
  const created = clock();
  let purgeAt = created + PURGE_EVERY;

  const flag = (key: string, until: number): void => {
    flags.set(key, Math.max(until, flags.get(key) ?? 0));
  };
  const store: TokenStore = {
    open(session: NewSession): SessionRow {
      const now = clock();
      if (now >= purgeAt) store.purge();
      const epoch = epochs.get(session.subject)?.at ?? 0;
      const born = Math.max(now, epoch + 1, created + 1);
      const row = { ...session, sid: newSessionId(born), born, gen: 0, csrfSeed: randomBytes(16), endedAt: undefined };
      sessions.set(row.sid, row);
      return row;
    },
    read(sid) {
      const row = sessions.get(sid);
      const epoch = row && epochs.get(row.subject)?.at;
      const endedAt = row?.endedAt ?? (epoch !== undefined && row && row.born <= epoch ? epoch : undefined);
      return row && { ...row, endedAt };
    },
    isRevoked(query: RevocationQuery): boolean {
      if (query.jti !== undefined && flags.has(tokenKey(query.jti, query.issuer))) return true;
      const epoch = query.subject === undefined ? undefined : epochs.get(query.subject)?.at;
      if (query.sid !== undefined) {
        if (flags.has(`s:${query.sid}`)) return true;
        const born = sessionBirth(query.sid);
        return born === undefined || born <= created || (epoch !== undefined && born <= epoch);
      }
      // Without a session only the second of the making is known: the whole second of an epoch dies.
      const made = query.iat ?? Number.NEGATIVE_INFINITY;
      return made < Math.floor(created / 1000) || (epoch !== undefined && made <= Math.floor(epoch / 1000));
    },
    revoke(revocation: Revocation): void {
      const now = clock();
      if (now >= purgeAt) store.purge();
      if (revocation.kind === "token") flag(tokenKey(revocation.jti, revocation.issuer), revocation.until);
      else if (revocation.kind === "session") {
        const row = sessions.get(revocation.sid);
        if (row && row.endedAt === undefined) sessions.set(row.sid, { ...row, endedAt: now });
        flag(`s:${revocation.sid}`, revocation.until);
      } else {
        const old = epochs.get(revocation.subject);
        const at = Math.max(now, old?.at ?? 0);
        epochs.set(revocation.subject, { at, until: Math.max(revocation.until, old?.until ?? 0) });
      }
    },
    purge(): number {
      const now = clock();
      purgeAt = now + PURGE_EVERY;
      let gone = 0;
      for (const [key, until] of flags) if (until <= now && flags.delete(key)) gone++;
      for (const [key, { until }] of epochs) if (until <= now && epochs.delete(key)) gone++;
      for (const [sid, row] of sessions) {
        const end =
          row.refreshExp === undefined ? row.absoluteEnd : Math.min(row.absoluteEnd, (row.refreshExp + 360) * 1000);
        if (end <= now && sessions.delete(sid)) gone++;
      }
      return gone;
    },
  };
  singleProcess.set(store, options.singleProcess === true);
  return store;
}

// The issuer cannot contain a NUL-free clash: its length stands in front.
const tokenKey = (jti: string, issuer: string | undefined): string =>
  issuer === undefined ? `t:${jti}` : `f:${issuer.length}:${issuer}${jti}`;
