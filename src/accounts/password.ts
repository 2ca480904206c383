import { AccountError, raise, UserLookupError } from "../errors.ts";
import type { JwtRequest, Route } from "../http/types.ts";
import { guardedRoute } from "../routes/shared.ts";
import type { AuthContext } from "../types.ts";
import { readFields } from "./body.ts";
import { type Desk, letIn, recorded } from "./desk.ts";
import { type Settle, stillAt } from "./people.ts";
import type { UserRecord, UserStore } from "./users.ts";

/** The user of a token, who may be gone. @throws UserLookupError */
export async function ownUser(auth: AuthContext<unknown>, { ask }: Desk, users: UserStore): Promise<UserRecord> {
  const user = await ask(() => users.byId(auth.identity));
  return user && !user.disabled ? user : raise(new UserLookupError("user_not_found"));
}

/**
 * `POST /password`: `{ "currentPassword", "newPassword" }`; a fresh token does without the first. All sessions end, and the
 * caller gets a new one, in the place where the token came from.
 */
export function passwordRoute(desk: Desk, users: UserStore, settle: Settle): Route {
  const { manager, passwords, ask, trail } = desk;
  const freshGuard = manager.guard({ fresh: true });
  return guardedRoute("POST", "/password", manager, manager.guard({}), async (auth, request) => {
    const shape = { currentPassword: "text?", newPassword: "text" } as const;
    const fields = await readFields(request, shape, manager.config);
    const user = await ownUser(auth, desk, users);
    const next = passwords.normalize(fields.newPassword, "newPassword");
    passwords.assertGood(next, user.name, "newPassword");
    if (fields.currentPassword === undefined) {
      const outcome = await freshGuard.check(request);
      if (!outcome.ok) return outcome.reply;
    } else {
      const current = passwords.normalize(fields.currentPassword, "currentPassword");
      await recorded("password", desk, (about) => {
        about.subject = user.id;
        return assertCurrent(user, current, request);
      });
    }
    const passwordHash = await passwords.hash(next);
    if (!(await ask(() => users.change(user, { passwordHash })))) return raise(new AccountError("user_changed"));
    await trail.note({ kind: "password", outcome: "ok", subject: user.id });
    const version = user.version + 1;
    await settle({ id: user.id, version });
    const person = { id: user.id, stillGood: stillAt(users, ask, user.id, version) };
    const via = auth.location === "cookies" ? "cookies" : "body";
    const device = await desk.devices.known(request, user.id);
    return letIn(person, request, desk, { via, status: 200, jkt: auth.claims.cnf?.jkt, device });
  });

  /** Guesses are counted as those at a login are. */
  async function assertCurrent(user: UserRecord, current: string, request: JwtRequest): Promise<void> {
    const device = await desk.devices.known(request, user.id);
    const refund = await desk.limits.login({ name: user.name, address: desk.addressOf(request), device });
    if (await passwords.verify(user.passwordHash, current)) return refund();
    raise(new AccountError("invalid_credentials", { fields: ["currentPassword"] }));
  }
}

/** `GET /me`: who is logged in. */
export function meRoute(desk: Desk, users: UserStore | undefined): Route {
  const { manager } = desk;
  return guardedRoute("GET", "/me", manager, manager.guard({}), async (auth) => {
    const { identity: id, sessionId } = auth;
    const user = users ? await ownUser(auth, desk, users) : undefined;
    const known = user ? { name: user.name, roles: user.roles, createdAt: user.createdAt } : {};
    return { status: 200, headers: [["cache-control", "no-store"]], body: { id, ...known, sessionId } };
  });
}
