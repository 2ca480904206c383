import { getCurrentUser, getJwt, getJwtHeader, getJwtIdentity, getJwtRequestLocation } from "jwt-extended";
import type { AnyManager, TestAnswer, TestRoute, TestTools } from "../support/harness/types.ts";
import { ALL_METHODS, ANONYMOUS, GUARDS, type Guard } from "./guards.ts";

const OPTIONS_ANSWER: TestAnswer = { json: { options: true } };

/** Shows the token, each part through another door of the library. */
function show(tools: TestTools, hasUsers: boolean): TestAnswer {
  if (tools.tryGetAuth().claims === null) return { json: ANONYMOUS };
  return {
    json: {
      identity: getJwtIdentity(),
      claims: tools.getAuth().claims,
      header: getJwtHeader(tools.request),
      location: getJwtRequestLocation(),
      user: hasUsers ? getCurrentUser() : null,
    },
  };
}

/** Whether the library refuses this guard as soon as it is made. */
function refused(manager: AnyManager, guard: Guard): boolean {
  try {
    manager.guard(guard as never);
    return false;
  } catch {
    return true;
  }
}

export function guardedRoutes(manager: AnyManager, hasUsers: boolean): TestRoute[] {
  const handler = (tools: TestTools): TestAnswer =>
    tools.method === "OPTIONS" ? OPTIONS_ANSWER : show(tools, hasUsers);
  const routes: TestRoute[] = Object.entries(GUARDS).map(([path, guard]) => ({
    methods: ALL_METHODS,
    path,
    guard,
    handler,
  }));

  const bad = { locations: "INVALID_LOCATION" } as unknown as Guard;
  const path = "/bad-location";
  if (!refused(manager, bad)) routes.push({ methods: ALL_METHODS, path, guard: bad, handler });
  else {
    routes.push({
      methods: ALL_METHODS,
      path,
      handler: (tools) => {
        if (tools.method === "OPTIONS") return OPTIONS_ANSWER;
        throw new Error("this route cannot work");
      },
    });
  }

  routes.push(
    { methods: ALL_METHODS, path: "/raw-protected", guard: {}, handler: () => ({ json: { claims: getJwt() } }) },
    {
      methods: ["GET"],
      path: "/current-user",
      guard: {},
      handler: (tools) => ({ json: { user: getCurrentUser(tools.request) ?? null } }),
    },
  );
  return routes;
}
