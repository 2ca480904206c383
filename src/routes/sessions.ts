import { RevokedTokenError, raise } from "../errors.ts";
import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import { type AnyManager, guardedRoute, unknownSession } from "./shared.ts";

/** The routes of a page of devices: list, end one, end the others, end all. Each needs an access token of a session. */
export function sessionRoutes(manager: AnyManager): readonly Route[] {
  const guard = manager.guard({});
  const guarded = (method: Route["method"], path: string, handle: Parameters<typeof guardedRoute>[4]): Route =>
    guardedRoute(method, path, manager, guard, handle);
  const nothing = (headers: JwtReply["headers"] = []): JwtReply => ({ status: 204, headers });
  const unset = (request: JwtRequest): JwtReply["headers"] =>
    manager.config.locations.includes("cookies") ? manager.unsetCookieHeaders(["access", "refresh"], {}, request) : [];

  return [
    guarded("GET", "/sessions", async ({ identity, sessionId }) => ({
      status: 200,
      headers: [["cache-control", "no-store"]],
      body: { sessions: await manager.listSessions(identity, sessionId) },
    })),
    guarded("DELETE", "/sessions/:id", async ({ identity }, request) => {
      const id = request.url.split("?")[0]?.split("/").at(-1) ?? "";
      // Somebody else's session is as unknown as one that never was.
      const own = (await manager.listSessions(identity)).some(({ sessionId }) => sessionId === id);
      if (!own) return unknownSession(manager);
      await manager.revokeSession(id);
      return nothing();
    }),
    guarded("POST", "/logout-others", async ({ identity, sessionId }) => {
      if (sessionId === undefined) return raise(new RevokedTokenError("session_required"));
      await manager.revokeOtherSessions(identity, sessionId);
      return nothing();
    }),
    guarded("POST", "/logout-all", async ({ identity }, request) => {
      await manager.revokeSubject(identity);
      return nothing(unset(request));
    }),
  ];
}
