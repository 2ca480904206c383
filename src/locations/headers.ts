import type { ResolvedConfig } from "../config/resolve.ts";
import { InvalidRequestError, JwtError } from "../errors.ts";
import type { JwtRequest } from "../http/types.ts";
import { charCodeAt, indexOf, slice } from "../internal/text.ts";
import type { Finding, Search } from "./finding.ts";

const [SPACE, DELETE] = [32, 127];

/** Reads the token of the configured header: one credential (RFC 9110 §11.4), or a comma list in the recorded way. */
export function findInHeader(request: JwtRequest, search: Search): Finding {
  const { config } = search;
  const lines = request.header(config.tokenHeader);
  return config.behaviour.oneCredential ? oneCredential(lines, search) : commaList(lines.join(","), search);
}

function oneCredential(lines: readonly string[], search: Search): Finding {
  const { headerName, headerType, behaviour, dpop } = search.config;
  const plain = plainToken(lines, headerType);
  if (plain !== undefined && search.quick) return found(plain, search, false, lines[0]);
  if (plain !== undefined && indexOf(plain, ",") < 0 && firstBlank(plain) < 0) return found(plain, search);
  const { messages } = behaviour;
  const line = lines[0]?.trim() ?? "";
  if (lines.length > 1) return bad(search.config);
  if (line === "") return { missing: messages.missingHeader(headerName, headerType) ?? "" };
  // A comma would join two credentials, and a proxy may have put it there.
  if (line.includes(",")) return bad(search.config);
  if (headerType === "") return /\s/.test(line) ? bad(search.config) : found(line, search);
  const blank = firstBlank(line);
  const scheme = blank < 0 ? line : line.slice(0, blank);
  const byDpop = dpop !== undefined && isScheme(scheme, "DPoP");
  if (!byDpop && !isScheme(scheme, headerType)) {
    return { missing: messages.missingHeaderType(headerName, headerType) ?? "" };
  }
  const token = blank < 0 ? "" : line.slice(blank + 1).trimStart();
  return token === "" || firstBlank(token) >= 0 ? bad(search.config) : found(token, search, byDpop);
}

/** What is wrong with a line of which a token was taken that proved to be none. */
export function lineFault(line: string, search: Search): JwtError | undefined {
  const finding = oneCredential([line], { ...search, quick: false });
  return finding instanceof JwtError ? finding : undefined;
}

/** What follows in a line that begins as nearly all do: the scheme as it is written here, and one space. */
function plainToken(lines: readonly string[], scheme: string): string | undefined {
  const [line] = lines;
  if (line === undefined || lines.length > 1 || !line.startsWith(scheme)) return undefined;
  if (charCodeAt(line, scheme.length) !== SPACE) return undefined;
  const begin = scheme.length + 1;
  return isVisible(line, begin) && isVisible(line, line.length - 1) ? slice(line, begin) : undefined;
}

function isVisible(line: string, at: number): boolean {
  const code = charCodeAt(line, at);
  return code > SPACE && code < DELETE;
}

/** The case of a scheme does not count (RFC 9110 §11.1). */
const isScheme = (given: string, wanted: string): boolean =>
  given.length === wanted.length && given.toLowerCase() === wanted.toLowerCase();

function firstBlank(text: string): number {
  const space = indexOf(text, " ");
  const tab = indexOf(text, "\t");
  return space < 0 || (tab >= 0 && tab < space) ? tab : space;
}

function commaList(joined: string, search: Search): Finding {
  const { headerName, headerType, behaviour } = search.config;
  const value = joined.trim().replace(/^,+|,+$/g, "");
  if (value === "") return { missing: behaviour.messages.missingHeader(headerName, headerType) ?? "" };
  if (headerType === "") {
    const words = value.trim().split(/\s+/);
    return words.length === 1 ? found(value.trim(), search) : bad(search.config);
  }
  const credentials = value
    .split(",")
    .map((part) => part.trim().split(/\s+/))
    .filter((words) => words[0] === headerType);
  const [words] = credentials;
  if (credentials.length !== 1 || !words)
    return { missing: behaviour.messages.missingHeaderType(headerName, headerType) ?? "" };
  return words.length === 2 ? found(words[1] as string, search) : bad(search.config);
}

const bad = (config: ResolvedConfig): InvalidRequestError =>
  new InvalidRequestError("invalid_request", {
    message: config.behaviour.messages.badHeader(config.headerName, config.headerType),
  });

function found(token: string, search: Search, byDpop = false, line?: string): Finding {
  const kind = search.kinds[0] as Search["kinds"][number];
  return { location: "headers", tokens: [token], kind, csrf: undefined, byDpop, line };
}
