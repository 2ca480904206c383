import type { MaybePromise } from "../types.ts";

/** What is known of a session when it is opened. Times in milliseconds unless said otherwise. */
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
}

/** A session as the store holds it. No token and no hash of one is stored. */
export interface SessionRow extends NewSession {
  /** base64url of the birth as 48-bit milliseconds and 16 random bytes. */
  readonly sid: string;
  /** Milliseconds of the store's clock. */
  readonly born: number;
  /** The generation of the refresh token that is good now. */
  readonly gen: number;
  /** 16 random bytes from which both CSRF values of the session are made. */
  readonly csrfSeed: Uint8Array;
  readonly endedAt: number | undefined;
}

/** What the store is asked about a token. */
export interface RevocationQuery {
  readonly jti: string | undefined;
  readonly sid: string | undefined;
  readonly subject: string | undefined;
  /** Set where the token is not one of ours: part of the key of `jti`. */
  readonly issuer: string | undefined;
  /** Unix seconds. */
  readonly iat: number | undefined;
}

/** What is revoked, in one operation. `until` is Unix milliseconds after which the entry may go; `Infinity` for never. */
export type Revocation =
  | { readonly kind: "token"; readonly jti: string; readonly issuer: string | undefined; readonly until: number }
  | { readonly kind: "session"; readonly sid: string; readonly until: number }
  | { readonly kind: "subject"; readonly subject: string; readonly until: number };

/** What remembers sessions and revocations. Answers may come at once or later; whatever throws counts as a store that is down. */
export interface TokenStore {
  /** Opens a session born at the store's now, or just after the subject's last revocation. */
  open(session: NewSession): MaybePromise<SessionRow>;
  /** The live or ended row of a session, `undefined` when there is none. */
  read(sid: string): MaybePromise<SessionRow | undefined>;
  /** Whether a token, its session or its subject is revoked. */
  isRevoked(query: RevocationQuery): MaybePromise<boolean>;
  revoke(revocation: Revocation): MaybePromise<void>;
  /** Removes what may go; answers how many entries went. */
  purge(): MaybePromise<number>;
}
