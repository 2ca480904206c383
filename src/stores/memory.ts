import { randomBytes } from "node:crypto";
import type {
  EndReason,
  Limits,
  NewSession,
  Presented,
  Revocation,
  RevocationQuery,
  Rotation,
  SessionRow,
  TokenStore,
} from "./contract.ts";
import { decide, ended, isOver } from "./rotation.ts";
import { newSessionId, sessionBirth } from "./session-id.ts";

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

interface Epoch {
  readonly at: number;
  readonly until: number;
}

const PURGE_EVERY = 60_000;
/** A session that is over is remembered for the longest leeway, so that its last tokens are told why. */
const MARGIN = 360_000;

/**
 * Remembers sessions and revocations in this process. A restart forgets them, and with them everybody's login: tokens
 * older than the store are refused, so that nothing revoked comes back. Two processes know nothing of each other.
 */
export function memoryStore(options: MemoryStoreOptions = {}): TokenStore {
  const clock = options.clock ?? Date.now;
  const sessions = new Map<string, SessionRow>();
  const bySubject = new Map<string, Set<string>>();
  const flags = new Map<string, number>();
  const epochs = new Map<string, Epoch>();
  const created = clock();
  const secret = randomBytes(32);
  let everything: Epoch = { at: created, until: Number.POSITIVE_INFINITY };
  let limits: Limits = { access: 0, refresh: 0 };
  let purgeAt = created + PURGE_EVERY;

  // An epoch reaches every birth there was, also those pushed past the clock, and after the clock has moved back.
  let newest = created;
  const raise = (old: Epoch | undefined, now: number, until: number): Epoch => ({
    at: Math.max(now, newest, old?.at ?? 0),
    until: Math.max(until, old?.until ?? 0),
  });
  const epochOf = (subject: string): number => Math.max(everything.at, epochs.get(subject)?.at ?? 0);
  const keep = (row: SessionRow): SessionRow => {
    sessions.set(row.sid, row);
    return row;
  };
  const drop = (row: SessionRow): void => {
    sessions.delete(row.sid);
    const siblings = bySubject.get(row.subject);
    if (siblings?.delete(row.sid) && siblings.size === 0) bySubject.delete(row.subject);
  };
  /** The row as epochs leave it: what began before the last one is ended, without touching every row at once. */
  const seen = (row: SessionRow): SessionRow => {
    const why: EndReason = row.born <= everything.at ? "everything" : "subject";
    return row.born <= epochOf(row.subject) ? ended(row, why, epochOf(row.subject)) : row;
  };
  const find = (sid: string): SessionRow | undefined => {
    const row = sessions.get(sid);
    return row && seen(row);
  };
  const flag = (key: string, until: number): void => {
    flags.set(key, Math.max(until, flags.get(key) ?? 0));
  };
  const end = (sid: string, why: EndReason, until: number, now: number): void => {
    const row = sessions.get(sid);
    if (row) keep(ended(row, why, now));
    flag(`s:${sid}`, until);
  };

  const store: TokenStore = {
    open(session: NewSession): SessionRow {
      const now = clock();
      if (now >= purgeAt) store.purge();
      const born = Math.max(now, epochOf(session.subject) + 1);
      newest = Math.max(newest, born);
      const fresh = {
        gen: 0,
        rotatedAt: undefined,
        racedCount: 0,
        op: undefined,
        endedAt: undefined,
        endedWhy: undefined,
      };
      const row = { ...session, ...fresh, sid: newSessionId(born), born, csrfSeed: randomBytes(16), lastUsedAt: now };
      const siblings = bySubject.get(row.subject);
      if (siblings) siblings.add(row.sid);
      else bySubject.set(row.subject, new Set([row.sid]));
      return keep(row);
    },
    rotate(presented: Presented): Rotation {
      const now = clock();
      const rotation = decide(find(presented.sid), presented, now);
      if (rotation.outcome === "reused") end(presented.sid, "reused", presented.endedUntil, now);
      else if (rotation.row && rotation.outcome !== "session_ended") keep(rotation.row);
      return rotation;
    },
    read: find,
    list(subject) {
      const now = clock();
      const rows = [...(bySubject.get(subject) ?? [])].flatMap((sid) => find(sid) ?? []);
      return rows.filter((row) => !isOver(row, now)).sort((a, b) => b.born - a.born);
    },
    touch(sid) {
      const row = sessions.get(sid);
      if (row) keep({ ...row, lastUsedAt: Math.max(row.lastUsedAt, clock()) });
    },
    isRevoked(query: RevocationQuery): boolean {
      if (query.jti !== undefined && flags.has(tokenKey(query.jti, query.issuer))) return true;
      if (query.kid !== undefined && flags.has(`k:${query.kid}`)) return true;
      const epoch = query.subject === undefined ? everything.at : epochOf(query.subject);
      if (query.sid !== undefined) {
        if (flags.has(`s:${query.sid}`)) return true;
        const born = sessionBirth(query.sid);
        return born === undefined || born <= epoch;
      }
      // Without a session only the second of the making is known: the whole second of an epoch dies. The second in which
      // this store was made is spared, or tokens made at once could never be used.
      const second = epoch === created ? Math.floor(epoch / 1000) - 1 : Math.floor(epoch / 1000);
      return query.iat === undefined || query.iat <= second;
    },
    revoke(revocation: Revocation): void {
      const now = clock();
      if (now >= purgeAt) store.purge();
      const { until } = revocation;
      if (revocation.kind === "token") flag(tokenKey(revocation.jti, revocation.issuer), until);
      else if (revocation.kind === "session") end(revocation.sid, "logout", until, now);
      else if (revocation.kind === "key") flag(`k:${revocation.kid}`, until);
      else if (revocation.kind === "everything") everything = raise(everything, now, until);
      else epochs.set(revocation.subject, raise(epochs.get(revocation.subject), now, until));
    },
    raiseLimits(asked: Limits): Limits {
      limits = { access: Math.max(limits.access, asked.access), refresh: Math.max(limits.refresh, asked.refresh) };
      return limits;
    },
    secret: () => secret,
    purge(): number {
      const now = clock();
      purgeAt = now + PURGE_EVERY;
      let gone = 0;
      for (const [key, until] of flags) if (until <= now && flags.delete(key)) gone++;
      for (const [key, { until }] of epochs) if (until <= now && epochs.delete(key)) gone++;
      for (const row of sessions.values()) {
        if (!isOver(seen(row), now - MARGIN)) continue;
        drop(row);
        gone++;
      }
      return gone;
    },
  };
  singleProcess.set(store, options.singleProcess === true);
  return store;
}

// The length of the issuer stands in front, so that no issuer and id together read like another pair.
const tokenKey = (jti: string, issuer: string | undefined): string =>
  issuer === undefined ? `t:${jti}` : `f:${issuer.length}:${issuer}${jti}`;
