import { randomId } from "../crypto/random.ts";
import { AccountError, raise } from "../errors.ts";
import type { Route } from "../http/types.ts";
import { assertOwnPage, route } from "../routes/shared.ts";
import { readFields } from "./body.ts";
import { type Desk, letIn, placeOf, recorded } from "./desk.ts";
import { canonicalName, type NameRule } from "./names.ts";
import type { Passwords } from "./passwords.ts";
import { stillAt } from "./people.ts";
import type { UserRecord, UserStore } from "./users.ts";

/** What a new user is made of. */
export interface NewUser {
  readonly username: string;
  readonly password: string;
  readonly roles: readonly string[];
}

const ROLE = /^[\w.:-]{1,64}$/;
const MAX_ROLES = 32;

/** @throws AccountError `field_invalid` for what can be no role */
export function assertRoles(roles: readonly string[]): void {
  if (roles.length <= MAX_ROLES && roles.every((role) => ROLE.test(role)) && new Set(roles).size === roles.length)
    return;
  const message = `Roles are up to ${MAX_ROLES} different words of letters, digits and . : _ -, 64 characters each`;
  raise(new AccountError("field_invalid", { message, fields: ["roles"] }));
}

const SENTENCES: Readonly<Record<string, string>> = {
  ascii: "A username has 3 to 32 letters a to z, digits, dots, _ and -",
  email: "The username must be an e-mail address",
  unicode: "A username has 3 to 32 letters of one script, digits, dots, _ and -",
};

/**
 * Judges a name and a password; gives the function that hashes and makes the record, which is not stored yet.
 * @throws AccountError `username_invalid`, `password_too_short`, `password_common`, …
 */
export function newUser(
  { username, password, roles }: NewUser,
  rule: NameRule | undefined,
  passwords: Passwords,
  now: number,
): () => Promise<UserRecord> {
  const name = canonicalName(username, rule);
  if (name === undefined) {
    const message = typeof rule === "function" ? undefined : SENTENCES[rule ?? "ascii"];
    return raise(new AccountError("username_invalid", { message, fields: ["username"] }));
  }
  const text = passwords.normalize(password, "password");
  passwords.assertGood(text, name, "password");
  return async () => ({
    id: randomId(),
    name,
    roles: [...roles],
    disabled: false,
    createdAt: Math.floor(now),
    passwordHash: await passwords.hash(text),
    version: 0,
    pending: false,
  });
}

/** `POST /register`: makes a user of `{ "username", "password" }`, and logs in. */
export function registerRoute(
  desk: Desk,
  users: UserStore,
  add: NonNullable<UserStore["add"]>,
  {
    names,
    newUserRoles = [],
  }: { readonly names?: NameRule | undefined; readonly newUserRoles?: readonly string[] | undefined },
): Route {
  const { manager, ask, trail } = desk;
  return route("POST", "/register", manager, async (request) => {
    assertOwnPage(request, manager);
    const shape = { username: "text", password: "text", via: "text?" } as const;
    const fields = await readFields(request, shape, manager.config);
    const via = placeOf(fields.via, request, manager);
    const make = newUser({ ...fields, roles: newUserRoles }, names, desk.passwords, manager.config.clock());
    const jkt = manager.config.dpop && (await manager.verifyDpopProof(request));
    return recorded("register", desk, async () => {
      await desk.limits.registration(desk.addressOf(request));
      // Hashed before the name is looked at: time does not tell which names are taken.
      const user = await make();
      if (!(await addOrUndo(user))) {
        return raise(new AccountError("username_taken", { fields: ["username"] }));
      }
      try {
        const person = { id: user.id, stillGood: stillAt(users, ask, user.id, user.version) };
        const reply = await letIn(person, request, desk, { via, jkt, status: 201, device: undefined });
        await trail.note({ kind: "register", outcome: "ok", subject: user.id });
        return reply;
      } catch (error) {
        await undo(user);
        throw error;
      }
    });
  });

  /** A registration that failed leaves no row, also where the store answered too late, or its answer was lost. */
  async function addOrUndo(user: UserRecord): Promise<boolean> {
    const adding = Promise.resolve().then(() => add(user));
    try {
      return await ask(() => adding);
    } catch (error) {
      const away = (): Promise<void> => undo(user);
      adding.then(away, away);
      throw error;
    }
  }

  async function undo(user: UserRecord): Promise<void> {
    await ask(() => users.remove?.(user.id)).catch(() => {});
  }
}
