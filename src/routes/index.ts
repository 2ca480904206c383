import type { Route } from "../http/types.ts";
import { needStore } from "../sessions/store-calls.ts";
import { logoutRoute } from "./logout.ts";
import { refreshRoute } from "./refresh.ts";
import { sessionRoutes } from "./sessions.ts";
import type { AnyManager, RouteOptions } from "./shared.ts";

export type { RouteOptions } from "./shared.ts";

/**
 * The ready routes of a login's life, for any adapter to mount in one line: `POST /refresh`, `POST /logout`,
 * `POST /logout-others`, `POST /logout-all`, `GET /sessions`, `DELETE /sessions/:id`.
 *
 * @example
 * app.use(mount(jwtRoutes(jwt), "/auth"));
 *
 * @throws ConfigError where the manager has no store.
 */
export function jwtRoutes(manager: AnyManager, options: RouteOptions = {}): readonly Route[] {
  needStore(manager.config.store ? ({} as never) : undefined, "jwtRoutes");
  return [refreshRoute(manager, options), logoutRoute(manager), ...sessionRoutes(manager)];
}
