import { AccountError, ForbiddenError, raise } from "../errors.ts";
import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import { guardedRoute, unknownSession } from "../routes/shared.ts";
import type { AuthContext } from "../types.ts";
import { AUDIT_KINDS, type AuditKind, type AuditStore } from "./audit.ts";
import { pageSize, queryOf, readFields, segment } from "./body.ts";
import type { Desk } from "./desk.ts";
import type { Settle } from "./people.ts";
import { assertRoles } from "./register.ts";
import { shownUser, type UserChanges, type UserRecord, type UserStore } from "./users.ts";

const DONE: JwtReply = Object.freeze({ status: 204, headers: [] });
const answer = (body: object): JwtReply => ({ status: 200, headers: [["cache-control", "no-store"]], body });

type Handler = (auth: AuthContext<unknown>, request: JwtRequest) => Promise<JwtReply>;

/** The routes of administrators, below `/admin`. The role must stand in the token, and still in the row of the user. */
export function adminRoutes(
  desk: Desk,
  users: UserStore,
  audit: AuditStore | undefined,
  role: string,
  settle: Settle,
): readonly Route[] {
  const { manager, ask, trail } = desk;
  const guard = manager.guard({ roles: role });
  const admin = (method: Route["method"], path: string, handle: Handler): Route =>
    guardedRoute(method, `/admin${path}`, manager, guard, async (auth, request) => {
      const self = await ask(() => users.byId(auth.identity));
      if (!self || self.disabled || !self.roles.includes(role)) return raise(new ForbiddenError("insufficient_role"));
      trail.actAs(self.id);
      return handle(auth, request);
    });
  const known = async (id: string): Promise<UserRecord> =>
    (await ask(() => users.byId(id))) ?? raise(new AccountError("user_unknown"));

  /** Changes somebody else, which ends all of their sessions. What is so already is left alone. */
  async function change(
    self: string,
    id: string,
    changes: UserChanges,
    kind: AuditKind,
    detail?: string,
  ): Promise<void> {
    // So there is always an administrator left.
    if (id === self) raise(new AccountError("own_account"));
    const user = await known(id);
    const isSo = JSON.stringify({ ...user, ...changes }) === JSON.stringify(user);
    if (isSo && !user.pending) return;
    if (!isSo) {
      if (!(await ask(() => users.change(user, changes)))) raise(new AccountError("user_changed"));
      await trail.note({ kind, outcome: "ok", subject: id, detail: detail ?? null });
    }
    await settle({ id, version: isSo ? user.version : user.version + 1 });
  }
  const { list, remove } = users;
  return [
    ...(list ? [admin("GET", "/users", usersPage)] : []),
    admin("GET", "/users/:id", async (_, request) => answer(shownUser(await known(segment(request, -1))))),
    admin("GET", "/users/:id/sessions", async (_, request) => {
      const { id } = await known(segment(request, -2));
      return answer({ sessions: await manager.listSessions(id) });
    }),
    admin("DELETE", "/users/:id/sessions", async (_, request) => {
      await manager.revokeSubject((await known(segment(request, -2))).id);
      return DONE;
    }),
    admin("DELETE", "/users/:id/sessions/:sid", endSession),
    admin("POST", "/users/:id/roles", async ({ identity }, request) => {
      const { roles } = await readFields(request, { roles: "texts" }, manager.config);
      assertRoles(roles);
      await change(identity, segment(request, -2), { roles }, "roles", roles.join(" "));
      return DONE;
    }),
    admin("POST", "/users/:id/disable", async ({ identity }, request) => {
      await change(identity, segment(request, -2), { disabled: true }, "disable");
      return DONE;
    }),
    admin("POST", "/users/:id/enable", async ({ identity }, request) => {
      await change(identity, segment(request, -2), { disabled: false }, "enable");
      return DONE;
    }),
    ...(remove ? [admin("DELETE", "/users/:id", removeUser)] : []),
    ...(audit ? [admin("GET", "/audit", auditPage)] : []),
  ];

  async function endSession(_: unknown, request: JwtRequest): Promise<JwtReply> {
    const sid = segment(request, -1);
    const sessions = await manager.listSessions((await known(segment(request, -3))).id);
    if (!sessions.some(({ sessionId }) => sessionId === sid)) return unknownSession(manager);
    await manager.revokeSession(sid);
    return DONE;
  }

  async function removeUser({ identity }: AuthContext<unknown>, request: JwtRequest): Promise<JwtReply> {
    const id = segment(request, -1);
    // Disabled first, and all sessions ended: a user who is gone has nothing that could still be ended.
    await change(identity, id, { disabled: true }, "disable");
    await ask(() => remove?.(id));
    await trail.note({ kind: "delete", outcome: "ok", subject: id });
    return DONE;
  }

  async function auditPage(_: unknown, request: JwtRequest): Promise<JwtReply> {
    const limit = pageSize(request);
    const kind = queryOf(request, "kind") as AuditKind | undefined;
    if (kind !== undefined && !AUDIT_KINDS.includes(kind)) {
      raise(
        new AccountError("field_invalid", {
          message: `"kind" must be one of ${AUDIT_KINDS.join(", ")}`,
          fields: ["kind"],
        }),
      );
    }
    const query = { subject: queryOf(request, "subject"), kind, before: queryOf(request, "before"), limit: limit + 1 };
    const entries = await ask(() => audit?.find(query) ?? []);
    const shown = entries.slice(0, limit);
    return answer({ entries: shown, next: entries.length > limit ? shown.at(-1)?.id : null });
  }

  async function usersPage(_: unknown, request: JwtRequest): Promise<JwtReply> {
    const limit = pageSize(request);
    const after = queryOf(request, "after");
    const rows = await ask(() => list?.(after, limit + 1) ?? []);
    const shown = rows.slice(0, limit).map(shownUser);
    return answer({ users: shown, next: rows.length > limit ? shown.at(-1)?.name : null });
  }
}
