import type { Behaviour } from "../config/behaviour.ts";

/** The claims as the application sees them: as signed, or with what is missing filled in where that is recorded. */
export function shownClaims(
  claims: Readonly<Record<string, unknown>>,
  behaviour: Behaviour,
): Readonly<Record<string, unknown>> {
  return behaviour.inventClaims ? Object.freeze({ type: "access", fresh: false, jti: null, ...claims }) : claims;
}
