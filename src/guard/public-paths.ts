import { ConfigError } from "../errors.ts";
import type { JwtRequest } from "../http/types.ts";

interface PublicPath {
  readonly method: string | undefined;
  readonly path: string;
  readonly below: boolean;
}

/**
 * Reads the public paths of `protect`: `"/path"`, `"GET /path"` or `"/dir/*"`.
 * @throws ConfigError for anything that could not be compared letter by letter.
 */
export function compilePublicPaths(entries: readonly string[] = []): (request: JwtRequest) => boolean {
  const faults: string[] = [];
  const paths = entries.map((entry): PublicPath => {
    const [, method, path = "", star] = /^(?:([A-Z]+) )?(\/[^*\s]*?)(\*)?$/.exec(entry) ?? [];
    if (path === "" || (star && !path.endsWith("/")) || !isPlain(path)) {
      faults.push(
        `public: an entry must look like "/path", "GET /path" or "/dir/*"; the ${entries.indexOf(entry) + 1}. does not.`,
      );
    }
    return { method, path, below: star !== undefined };
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return (request) => {
    const query = request.url.indexOf("?");
    const path = query < 0 ? request.url : request.url.slice(0, query);
    if (!isPlain(path)) return false;
    return paths.some((entry) => {
      // Every framework answers HEAD where it answers GET.
      const method =
        entry.method === undefined ||
        entry.method === request.method ||
        (entry.method === "GET" && request.method === "HEAD");
      return method && (entry.below ? path.startsWith(entry.path) : path === entry.path);
    });
  };
}

/** Whether no router can read a path in another way than it stands: no dot segments, doubled slashes, `;`, `\`, encoded slash, dot or backslash. */
const isPlain = (path: string): boolean =>
  path.startsWith("/") && !/\/\/|[;\\#]|%25|%2e|%2f|%5c|\/\.\.?(\/|$)/i.test(path);
