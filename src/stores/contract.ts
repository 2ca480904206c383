import type { MaybePromise } from "../types.ts";

/** What is known of a session when it is opened. */
export interface NewSession {
  readonly subject: string;
  /** Unix seconds of the login. */
  readonly authTime: number;
  /** Unix milliseconds at which the session ends whatever happens; `Infinity` for never. */
  readonly absoluteEnd: number;
  /** Unix seconds: `iat` and `exp` of the first refresh token; `exp` undefined for one that never expires. */
  readonly issuedAt: number;
  readonly refreshExp: number | undefined;
  /** What was given at the login beside the loaders' answers; plain JSON. Tokens of a renewal carry it on. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The browser or application that logged in, as it names itself, cut to 256 characters. */
  readonly userAgent: string | undefined;
  /** Where it came from: not an address, but a keyed hash of one. */
  readonly address: string | undefined;
  /** Thumbprint of the key that the refresh tokens are bound to (RFC 9449 §5). */
  readonly jkt: string | undefined;
}

/** Why a session is over. */
export type EndReason = "logout" | "reused" | "subject" | "everything";

/** A session as the store holds it. No token and no hash of one is stored: a copy of the store mints nothing. */
export interface SessionRow extends NewSession {
  /** base64url of the birth as 48-bit milliseconds and 16 random bytes. */
  readonly sid: string;
  /** Milliseconds of the store's clock. */
  readonly born: number;
  /** The generation of the refresh token that is good now. */
  readonly gen: number;
  /** When the session was last rotated, in milliseconds of the store's clock. */
  readonly rotatedAt: number | undefined;
  /** How often a refresh token was presented again inside the grace window. */
  readonly racedCount: number;
  /** The nonce of the last rotation, by which a caller knows its own retry. */
  readonly op: string | undefined;
  /** 16 random bytes from which both CSRF values of the session are made. */
  readonly csrfSeed: Uint8Array;
  /** When a token of the session was last seen, in milliseconds; written now and then, not at every request. */
  readonly lastUsedAt: number;
  /** Milliseconds. */
  readonly endedAt: number | undefined;
  readonly endedWhy: EndReason | undefined;
}

/** A refresh token that is presented to be exchanged. Its signature and claims are right. */
export interface Presented {
  readonly sid: string;
  readonly subject: string;
  readonly gen: number;
  /** Random, one for each call, the same for each retry of it. */
  readonly nonce: string;
  readonly jkt: string | undefined;
  /** Who presents it; kept with the session where it is rotated. */
  readonly userAgent: string | undefined;
  readonly address: string | undefined;
  /** Unix seconds: `iat` and `exp` of the successor, should one be made. `exp` undefined for one that never expires. */
  readonly issuedAt: number;
  readonly refreshExp: number | undefined;
  /** How long after a rotation the predecessor still gets the same successor, in milliseconds. */
  readonly grace: number;
  /**
   * Until when anybody waits for the answer, in milliseconds of `performance.now()`. A call that comes too late must not
   * find theft: its client has long gone on with a retry. @default for ever
   */
  readonly deadline?: number | undefined;
  /** How long a session that is ended for theft must be remembered, in Unix milliseconds. */
  readonly endedUntil: number;
}

/** What became of a refresh token. The row is the one after the rotation; it says what the successor holds. */
export type Rotation =
  | { readonly outcome: "rotated" | "raced" | "healed" | "reused"; readonly row: SessionRow }
  | { readonly outcome: "session_unknown" | "session_ended"; readonly row: SessionRow | undefined };

/** What the store is asked about a token. */
export interface RevocationQuery {
  readonly jti: string | undefined;
  readonly sid: string | undefined;
  readonly subject: string | undefined;
  /** Set where the token is not one of ours: part of the key of `jti`. */
  readonly issuer: string | undefined;
  /** The key that signed it, where its header names one. */
  readonly kid: string | undefined;
  /** Unix seconds. */
  readonly iat: number | undefined;
}

/** What is revoked, in one operation. `until` is Unix milliseconds after which the entry may go; `Infinity` for never. */
export type Revocation =
  | { readonly kind: "token"; readonly jti: string; readonly issuer: string | undefined; readonly until: number }
  | { readonly kind: "session"; readonly sid: string; readonly until: number }
  | { readonly kind: "subject"; readonly subject: string; readonly until: number }
  | { readonly kind: "key"; readonly kid: string; readonly until: number }
  | { readonly kind: "everything"; readonly until: number };

/** The longest lifetimes that any process ever configured, in seconds; `Infinity` for no bound. */
export interface Limits {
  readonly access: number;
  readonly refresh: number;
}

/**
 * Something a store has to tell: that it had forgotten everything, so that everybody must log in again; that its copy in
 * memory has fallen behind (with the reason), or is young enough to be relied on.
 */
export type StoreNotice = "storeForgot" | "replicaBehind" | "replicaFresh";

/** Where the feed of a partition stands, asked of the server that takes the writes. */
export interface FeedTip {
  /** Names the store's life: another one means that the store has forgotten, and with it every number. */
  readonly generation: string;
  /** The number of the last change; 0 before the first. */
  readonly seq: number;
  /** Milliseconds of the store's clock. */
  readonly now: number;
  /** The epoch of everything, in milliseconds of the store's clock. */
  readonly everything: number;
  /** The same for tokens without a session: up to this second of their making they are dead. */
  readonly everythingSecond: number;
}

/** One revocation as it stands. `key` is that of `stores/keys.ts`; `until` is Unix milliseconds, `Infinity` for never. */
export type LiveEntry =
  | { readonly kind: "flag"; readonly key: Uint8Array; readonly until: number }
  /** `epoch` in milliseconds; the key is that of a subject. The epoch of everything is told by its own key. */
  | { readonly kind: "epoch"; readonly key: Uint8Array; readonly epoch: number; readonly until: number };

/** One change of a partition. The numbers follow each other without a gap, in the order in which the changes became visible. */
export type FeedEntry = LiveEntry & { readonly seq: number };

/** A page of what is revoked now. `next` asks for the one after it, `undefined` after the last. */
export interface LivePage {
  readonly entries: readonly LiveEntry[];
  readonly next: string | undefined;
}

/**
 * What a store tells those who keep a copy of its revocations. Whatever it cannot read (a row or an entry that is damaged,
 * foreign or of a later version) it throws for; it never leaves an entry out.
 */
export interface RevocationFeed {
  /** How many independent feeds there are. */
  readonly partitions: number;
  /** Asks the primary, in one atomic step that also proves that it takes writes. */
  tip(partition: number): Promise<FeedTip>;
  /** The changes after number `seq`, in order, at most `limit`; throws or answers from a later number where they are no longer kept. */
  since(partition: number, seq: number, limit: number): Promise<readonly FeedEntry[]>;
  /** A page of what is revoked. All pages together hold at least what was revoked when the first was asked for, unless it was purged since. */
  live(partition: number, cursor: string | undefined, limit: number): Promise<LivePage>;
  /** Calls back soon after changes, as a hint only; answers the function that ends it. Absent where the store cannot. */
  watch?(changed: (partition: number) => void): () => void;
}

/** What remembers sessions and revocations. Answers may come at once or later; whatever throws counts as a store that is down. */
export interface TokenStore {
  /** Opens a session born at the store's now, or just after the last revocation of its subject or of everything. */
  open(session: NewSession): MaybePromise<SessionRow>;
  /** Exchanges a refresh token after the table of `rotation.ts`, in one atomic step. A retry with the same nonce changes nothing. */
  rotate(presented: Presented): MaybePromise<Rotation>;
  /** The live or ended row of a session, `undefined` when there is none. */
  read(sid: string): MaybePromise<SessionRow | undefined>;
  /** The sessions of a subject that are live now, the newest first. */
  list(subject: string): MaybePromise<readonly SessionRow[]>;
  /** Notes that a session is in use. Nothing is lost if it does not arrive. */
  touch(sid: string): MaybePromise<void>;
  /** Whether a token, its session, its subject, its key or everything is revoked. */
  isRevoked(query: RevocationQuery): MaybePromise<boolean>;
  revoke(revocation: Revocation): MaybePromise<void>;
  /**
   * Takes a name that may be taken once only, such as that of a DPoP proof (RFC 9449 §11.1), until `until` (Unix milliseconds) has
   * passed by the store's clock; answers false where somebody else took it first.
   */
  spend(name: string, until: number): MaybePromise<boolean>;
  /** Raises the remembered limits to these, never lowers them, and answers the highest. */
  raiseLimits(limits: Limits): MaybePromise<Limits>;
  /** 32 random bytes, made once with the store, under which addresses are hashed. Without it none are kept. */
  secret?(): MaybePromise<Uint8Array>;
  /** Removes what may go; answers how many entries went. */
  purge(): MaybePromise<number>;
  /** What has been revoked and what is being revoked, for copies in memory. Absent where the store is in memory itself. */
  readonly feed?: RevocationFeed | undefined;
  /** Hands over the function that is told what the store has to tell. */
  listen?(notify: (notice: StoreNotice, detail?: string) => void): void;
}
