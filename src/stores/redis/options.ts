import type { Limits, Revocation, RevocationFeed, Rotation, SessionRow, TokenStore } from "../contract.ts";
import type { RedisClient } from "./client.ts";

/** Settings of `redisStore`. */
export interface RedisStoreOptions {
  /** A client of `redis`, `ioredis` or `iovalkey`, single, Sentinel or cluster. The application opens and closes it. */
  readonly client: RedisClient;
  /** Begins every key. Applications that share a Redis but no logins take different ones. @default "jx" */
  readonly prefix?: string | undefined;
  /** Into how many slots the store is divided: 1 on a single server and Sentinel, 8 on Cluster. It cannot change later. @default 1 */
  readonly partitions?: number | undefined;
  /** How many replicas must hold a revocation before it is acknowledged. @default 0 */
  readonly replicas?: number | undefined;
  /**
   * A second client of the same Redis, for the writes that wait for replicas. While one waits, nothing else goes over its
   * connection: without a client of their own the checks of all guards wait, too. @default `client`
   */
  readonly durableClient?: RedisClient | undefined;
  /**
   * A client of the same Redis that only listens to changes. @default a copy of `client`, opened while somebody watches the
   * feed; clients of a cluster and of Sentinel need none
   */
  readonly feedClient?: RedisClient | undefined;
  /** Told at start what weakens the store. @default console.warn */
  readonly warn?: ((message: string) => void) | undefined;
  /** The present time in milliseconds, for tests. @default the clock of Redis */
  readonly clock?: (() => number) | undefined;
}

/** A store in Redis or Valkey. */
export interface RedisStore extends TokenStore {
  /** Looks at the server and makes the store ready. Every call does so first; call it to learn of faults at start. */
  ready(): Promise<void>;
  open(...args: Parameters<TokenStore["open"]>): Promise<SessionRow>;
  rotate(...args: Parameters<TokenStore["rotate"]>): Promise<Rotation>;
  read(sid: string): Promise<SessionRow | undefined>;
  list(subject: string): Promise<readonly SessionRow[]>;
  touch(sid: string): Promise<void>;
  isRevoked(...args: Parameters<TokenStore["isRevoked"]>): Promise<boolean>;
  revoke(revocation: Revocation): Promise<void>;
  spend(name: string, until: number): Promise<boolean>;
  raiseLimits(limits: Limits): Promise<Limits>;
  purge(): Promise<number>;
  secret(): Promise<Uint8Array>;
  readonly feed: RevocationFeed;
}
