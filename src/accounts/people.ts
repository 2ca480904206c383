import type { MaybePromise } from "../types.ts";
import { canonicalName, type NameRule } from "./names.ts";
import type { Identified } from "./options.ts";
import type { Passwords } from "./passwords.ts";
import type { Asking } from "./secrets.ts";
import type { UserRecord, UserStore } from "./users.ts";

/** Whom a right password belongs to. */
export interface Person {
  readonly id: string;
  /** Whether nothing has happened to the account since the password was looked at. Asked once the session is open. */
  stillGood(): Promise<boolean>;
}

/** Somebody of whom only the name is known so far. */
export interface Candidate {
  /** The name by which attempts are counted, whether there is such a user or not. */
  readonly name: string;
  /** The user of that name, if there is one. */
  readonly id: string | undefined;
  /** Checks a normalized password; takes as long for unknown users. Answers the person, or the reason for the records. */
  check(password: string): Promise<Person | "invalid_credentials" | "disabled">;
}

/** Finds who wants to log in. */
export type People = (username: string) => Promise<Candidate>;

const WRONG = "invalid_credentials" as const;
const MAX_NAME = 256;

/** What stands for a name that is none: however it is written, it is counted as one. */
const strange = (username: string): string => `?${username.slice(0, MAX_NAME).normalize("NFKC").toLowerCase()}`;

/** Ends the sessions of a user whom a change has left pending. */
export type Settle = (user: Pick<UserRecord, "id" | "version">) => Promise<void>;

/** Whether a user is still as at that version, and may log in. */
export const stillAt =
  (users: UserStore, ask: Asking, id: string, version: number): Person["stillGood"] =>
  async () => {
    const now = await ask(() => users.byId(id));
    return now !== undefined && now.version === version && !now.disabled && !now.pending;
  };

/** Users of a store. */
export function storedPeople(
  users: UserStore,
  rule: NameRule | undefined,
  passwords: Passwords,
  ask: Asking,
  settle: Settle,
): People {
  return async (username) => {
    const name = canonicalName(username, rule);
    const found = name === undefined ? undefined : await ask(() => users.byName(name));
    return {
      name: name ?? strange(username),
      id: found?.id,
      async check(password) {
        const right = await passwords.verify(found?.passwordHash, password);
        if (!found || !right) return WRONG;
        if (found.disabled) return "disabled";
        if (found.pending) await settle(found);
        if (passwords.isOutdated(found.passwordHash)) await renewHash(found, password);
        return { id: found.id, stillGood: stillAt(users, ask, found.id, found.version) };
      },
    };
  };

  async function renewHash(user: UserRecord, password: string): Promise<void> {
    // Where everybody waits already, the next login is soon enough.
    const made = await passwords.hash(password).catch(() => undefined);
    if (made !== undefined) await ask(() => users.rehash(user, made));
  }
}

/** Whoever the function of the application knows. */
export function pluggedPeople(
  authenticate: (username: string, password: string) => MaybePromise<Identified | null | undefined | false>,
  passwords: Passwords,
): People {
  return async (username) => ({
    name: strange(username),
    id: undefined,
    async check(password) {
      const user = await passwords.queue(async () => authenticate(username, password));
      return user ? { id: String(user.id), stillGood: async () => true } : WRONG;
    },
  });
}
