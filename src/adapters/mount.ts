import type { Route } from "../http/types.ts";

/** Finds the ready route for a request among those mounted under a prefix. A segment `:name` stands for any one text. */
export function routeFinder<R extends Pick<Route, "method" | "path">>(
  routes: readonly R[],
  prefix = "",
): (method: string, url: string) => R | undefined {
  const rows = routes.map((route) => ({ route, segments: `${prefix}${route.path}`.split("/") }));
  return (method, url) => {
    const wanted = method === "HEAD" ? "GET" : method;
    const end = url.search(/[?#]/);
    const path = (end < 0 ? url : url.slice(0, end)).split("/");
    const fits = (segments: readonly string[]): boolean =>
      segments.length === path.length &&
      segments.every((segment, i) => (segment.startsWith(":") ? path[i] !== "" : segment === path[i]));
    return rows.find(({ route, segments }) => route.method === wanted && fits(segments))?.route;
  };
}
