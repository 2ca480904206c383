import { InvalidRequestError } from "../errors.ts";
import type { JwtRequest } from "../http/types.ts";
import type { Finding, Search } from "./finding.ts";

/** Reads the first value of the configured query parameter. Tokens in addresses end up in logs: see docs/locations.md. */
export function findInQuery(request: JwtRequest, search: Search): Finding {
  const { queryStringName, queryStringValuePrefix, behaviour } = search.config;
  const start = request.url.indexOf("?");
  const value = start < 0 ? null : new URLSearchParams(request.url.slice(start + 1)).get(queryStringName);
  if (!value) return { missing: behaviour.messages.missingQuery(queryStringName) ?? "" };
  if (!value.startsWith(queryStringValuePrefix)) {
    return new InvalidRequestError("invalid_request", {
      message: behaviour.messages.badQueryPrefix(queryStringName, queryStringValuePrefix),
    });
  }
  const kind = search.kinds[0] as Search["kinds"][number];
  return { location: "query_string", tokens: [value.slice(queryStringValuePrefix.length)], kind, csrf: undefined };
}
