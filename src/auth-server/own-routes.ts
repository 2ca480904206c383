import type { User } from "../accounts/users.ts";
import type { JwtReply, Route } from "../http/types.ts";
import { guardedRoute } from "../routes/shared.ts";
import type { AuthContext } from "../types.ts";
import { ADMIN, isAdministrator, type Manager } from "./manager.ts";

const answer = (body: object): JwtReply => ({ status: 200, headers: [], body });

/** Routes to try a token on: for everybody who is logged in, for a fresh login, for administrators; and what it says. */
export function ownRoutes(manager: Manager): readonly Route[] {
  const nameOf = ({ user }: AuthContext<unknown>): string => (user as User).name;
  const fresh = manager.guard({ fresh: true });
  // The token says so, and the database still does: whoever lost the role is out before the token ends.
  const admin = manager.guard({ roles: ADMIN, verify: isAdministrator });
  return [
    guardedRoute("GET", "/protected", manager, manager.guard(), async (auth) => answer({ logged_in_as: nameOf(auth) })),
    guardedRoute("GET", "/fresh", manager, fresh, async (auth) => answer({ logged_in_as: nameOf(auth), fresh: true })),
    guardedRoute("GET", "/admin", manager, admin, async (auth) => answer({ administrator: nameOf(auth) })),
    guardedRoute("GET", "/token", manager, manager.guard(), async ({ header, claims }) =>
      answer({ header, claims, now: Math.floor(manager.config.clock() / 1000) }),
    ),
  ];
}
