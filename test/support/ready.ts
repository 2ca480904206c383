import { jwtRoutes, type RouteOptions } from "jwt-extended";
import type { AnyManager, HarnessOptions } from "./harness/types.ts";

/** The ready routes under `/auth`. */
export function readyRoutes(manager: AnyManager, options: RouteOptions = {}): HarnessOptions {
  return { ready: { routes: jwtRoutes(manager, options), prefix: "/auth" } };
}
