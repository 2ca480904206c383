import type { MaybePromise } from "../types.ts";

/** A user, as administrators and the application see one. */
export interface User {
  /** Random, never changed and never given twice: the subject of all tokens. */
  readonly id: string;
  /** In canonical form. */
  readonly name: string;
  readonly roles: readonly string[];
  readonly disabled: boolean;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** A user as it is stored. */
export interface UserRecord extends User {
  /** As `@node-rs/argon2` writes it: algorithm and parameters stand in it. */
  readonly passwordHash: string;
  /** Grows with every `change`. A login that began at another version is not let through. */
  readonly version: number;
  /** Whether a change has been stored whose sessions are still to be ended. Nobody is let in before they are. */
  readonly pending: boolean;
}

/** What can be changed of a user. Each change ends all sessions. */
export type UserChanges = Partial<Pick<UserRecord, "passwordHash" | "roles" | "disabled">>;

/**
 * Where users are kept. Answers may come at once or later; whatever throws counts as a store that is down. Names arrive in
 * canonical form and must be compared byte by byte. Routes that need a function which is not there are not offered.
 */
export interface UserStore {
  byId(id: string): MaybePromise<UserRecord | undefined>;
  byName(name: string): MaybePromise<UserRecord | undefined>;
  /**
   * Changes the user whose version is still that of `user`, raises the version by one and sets `pending`, in one atomic step.
   * Answers whether the user now is as wanted.
   */
  change(user: UserRecord, changes: UserChanges): MaybePromise<boolean>;
  /** Takes `pending` off a user whose version is still this one: the sessions are ended. */
  settle(id: string, version: number): MaybePromise<void>;
  /** Replaces the hash of the same password, if it is still `user.passwordHash`; neither version nor `pending` change. */
  rehash(user: UserRecord, passwordHash: string): MaybePromise<void>;
  /**
   * Adds a user; answers false where the name is taken, or where somebody has the role `unlessHeld`. Two at once: one wins.
   * Without it nobody can register.
   */
  add?(user: UserRecord, unlessHeld?: string): MaybePromise<boolean>;
  /** Removes a user, or nobody. */
  remove?(id: string): MaybePromise<void>;
  /** Users by name, those after the name `after`, at most `limit`. */
  list?(after: string | undefined, limit: number): MaybePromise<readonly User[]>;
}

/** What may be shown of a user. */
export function shownUser({ id, name, roles, disabled, createdAt }: User): User {
  return { id, name, roles: [...roles], disabled, createdAt };
}
