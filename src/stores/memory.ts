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
import { keepRevision } from "./revision.ts";
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
  // One map for each kind of name, so that none has to be put together at every request.
  const flags = {
    token: new Map<string, number>(),
    foreign: new Map<string, number>(),
    session: new Map<string, number>(),
    key: new Map<string, number>(),
  };
  const epochs = new Map<string, Epoch>();
  const spent = new Map<string, number>();
  const created = clock();
  const secret = randomBytes(32);
  let revision = 0;
  let everything: Epoch = { at: created, until: Number.POSITIVE_INFINITY };
  let limits: Limits = { access: 0, refresh: 0 };
  let purgeAt = created + PURGE_EVERY;

  // An epoch reaches every birth there was, also those pushed past the clock, and after the clock has moved back.
  let newest = created;
  const raise = (old: Epoch | undefined, now: number, until: number): Epoch => ({
    // Later than the making of the store, whose second is spared.
    at: Math.max(now, newest, created + 1, old?.at ?? 0),
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
  const flag = (kind: keyof typeof flags, name: string, until: number): void => {
    revision++;
    flags[kind].set(name, Math.max(until, flags[kind].get(name) ?? 0));
  };
  const end = (sid: string, why: EndReason, until: number, now: number): void => {
    const row = sessions.get(sid);
    if (row) keep(ended(row, why, now));
    flag("session", sid, until);
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
      const { jti, issuer, kid } = query;
      if (jti !== undefined) {
        if (issuer === undefined ? flags.token.has(jti) : flags.foreign.has(foreignName(jti, issuer))) return true;
      }
      if (kid !== undefined && flags.key.has(kid)) return true;
      const epoch = query.subject === undefined ? everything.at : epochOf(query.subject);
      if (query.sid !== undefined) {
        if (flags.session.has(query.sid)) return true;
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
      revision++;
      if (now >= purgeAt) store.purge();
      const { until } = revocation;
      if (revocation.kind === "token") {
        const { jti, issuer } = revocation;
        if (issuer === undefined) flag("token", jti, until);
        else flag("foreign", foreignName(jti, issuer), until);
      } else if (revocation.kind === "session") end(revocation.sid, "logout", until, now);
      else if (revocation.kind === "key") flag("key", revocation.kid, until);
      else if (revocation.kind === "everything") everything = raise(everything, now, until);
      else epochs.set(revocation.subject, raise(epochs.get(revocation.subject), now, until));
    },
    spend(name: string, until: number): boolean {
      const now = clock();
      if (now >= purgeAt) store.purge();
      const taken = (spent.get(name) ?? Number.NEGATIVE_INFINITY) > now;
      if (!taken) spent.set(name, until);
      return !taken;
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
      for (const names of Object.values(flags)) {
        for (const [name, until] of names) if (until <= now && names.delete(name)) gone++;
      }
      for (const [name, until] of spent) if (until <= now && spent.delete(name)) gone++;
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
  keepRevision(store, () => revision);
  return store;
}

// The length of the issuer stands in front, so that no issuer and id together read like another pair.
const foreignName = (jti: string, issuer: string): string => `${issuer.length}:${issuer}${jti}`;
