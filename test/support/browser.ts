import { cookiesOf } from "./answers.ts";
import type { Answer } from "./http.ts";
import { type Client, JSON_TYPE } from "./serve.ts";

type Line = readonly [string, string];

/** What a browser does for a page: keeps cookies, sends them, and reads CSRF values out of those that it may read. */
export interface Browser {
  /** The cookies kept, by name. */
  readonly jar: Map<string, string>;
  readonly access: string;
  readonly refresh: string;
  get(path: string): Promise<Answer>;
  /** Sends JSON with the CSRF value of one kind, from the same origin. */
  ask(method: string, path: string, kind?: "access" | "refresh", ...headers: Line[]): Promise<Answer>;
  /** The `Cookie` header of all cookies, or of those named. */
  line(...names: string[]): Line;
}

/** A browser that shows a page of this server. */
export function browser(client: Client): Browser {
  const jar = new Map<string, string>();
  const line = (...names: string[]): Line => {
    const all = [...jar].filter(([name]) => names.length === 0 || names.includes(name));
    return ["Cookie", all.map(([name, value]) => `${name}=${value}`).join("; ")];
  };
  const keep = (answer: Answer): Answer => {
    for (const { name, value, attributes } of Object.values(cookiesOf(answer))) {
      if (attributes["max-age"] === "0") jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  };
  return {
    jar,
    line,
    get access() {
      return jar.get("__Host-access_token") ?? "";
    },
    get refresh() {
      return jar.get("__Host-refresh_token") ?? "";
    },
    get: async (path) => keep(await client.send({ path, headers: [line()] })),
    async ask(method, path, kind = "access", ...more) {
      const csrf = jar.get(`__Host-csrf_${kind}`);
      const value: Line[] = csrf === undefined ? [] : [["X-CSRF-TOKEN", csrf]];
      const headers: Line[] = [line(), JSON_TYPE, ["Sec-Fetch-Site", "same-origin"], ...value, ...more];
      return keep(await client.send({ method, path, headers }));
    },
  };
}

/** The names of the cookies that an answer clears. */
export function cleared(answer: Answer): string[] {
  const all = Object.values(cookiesOf(answer));
  return all.filter(({ value, attributes }) => value === "" && attributes["max-age"] === "0").map(({ name }) => name);
}
