/** An http address in the form in which two that mean the same are equal. */
export interface PlainUri {
  /** Such as `https://api.example.com`: scheme and host in lower case, no default port. */
  readonly origin: string;
  readonly path: string;
}

const CHARACTER = "[a-z0-9._~!$&'()*+,;=:@-]|%[0-9a-f]{2}";
const PATH = new RegExp(`^(?:/(?:${CHARACTER}|/)*)?$`, "i");
const REST = new RegExp(`^(?:${CHARACTER}|[/?])*$`, "i");
const URI =
  /^(https?):\/\/([a-z0-9._~!$&'()*+,;=-]+|\[[0-9a-f:.]+\])(?::([0-9]*))?(\/[^?#]*)?(?:\?([^#]*))?(?:#([^#]*))?$/i;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: "80", https: "443" };

/**
 * Reads an absolute http address by the grammar of RFC 3986, without its query and fragment, and normalises it (§6.2.2, §6.2.3).
 * `undefined` for everything else: user info, blanks, backslashes and what else a browser would put up with.
 */
export function plainUri(text: string): PlainUri | undefined {
  const [, scheme = "", host = "", port = "", path = "", query = "", fragment = ""] = URI.exec(text) ?? [];
  const plain = host === "" || !REST.test(query) || !REST.test(fragment) ? undefined : plainPath(path);
  if (plain === undefined) return undefined;
  const lower = scheme.toLowerCase();
  const suffix = port === "" || port === DEFAULT_PORTS[lower] ? "" : `:${port}`;
  return { origin: `${lower}://${host.toLowerCase()}${suffix}`, path: plain };
}

/** The same for a path as it stands in a request, which may be followed by a query; `undefined` where it is no path. */
export function plainPath(target: string): string | undefined {
  const end = target.search(/[?#]/);
  const path = end < 0 ? target : target.slice(0, end);
  return PATH.test(path) ? withoutDots(path.replace(/%../g, plainEscape)) : undefined;
}

/** Letters, digits, `-`, `.`, `_` and `~` stand for themselves; other escapes are written in upper case (RFC 3986 §6.2.2.2). */
function plainEscape(escaped: string): string {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase();
}

/** RFC 3986 §5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.slice(1).split("/");
  for (const [at, segment] of segments.entries()) {
    if (segment === "..") kept.pop();
    if (segment !== "." && segment !== "..") kept.push(segment);
    else if (at === segments.length - 1) kept.push("");
  }
  return `/${kept.join("/")}`;
}
