import { InvalidRequestError } from "../errors.ts";
import type { ReadBody } from "../http/types.ts";
import type { Finding, Search } from "./finding.ts";

const WHY = {
  absent: "none came",
  type: "it has another content type",
  consumed: "something read it before the guard; put the guard first, or a JSON parser in front of it",
} as const;

/** Reads the token of a JSON body. */
export function findInJson(body: ReadBody, search: Search): Finding {
  const { behaviour } = search.config;
  const { messages } = behaviour;
  if (body.kind === "none") {
    if (body.why === "too_large") return new InvalidRequestError("body_too_large");
    if (body.why !== "unparsable") return { missing: messages.jsonContentType(WHY[body.why]) ?? "" };
  }
  if (body.kind === "form") return { missing: messages.jsonContentType(WHY.type) ?? "" };
  const value = body.kind === "json" ? body.value : undefined;
  const members =
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  for (const kind of search.kinds) {
    const token = Object.hasOwn(members, kind.jsonKey) ? members[kind.jsonKey] : undefined;
    if (token === undefined || token === null || token === "") continue;
    if (behaviour.falsyJsonIsMissing && isEmpty(token)) continue;
    return { location: "json", tokens: [token], kind, csrf: undefined };
  }
  const [kind] = search.kinds;
  return { missing: messages.missingJsonKey(kind?.jsonKey ?? "") ?? "" };
}

const isEmpty = (value: unknown): boolean =>
  !value || (typeof value === "object" && Object.keys(value as object).length === 0);
