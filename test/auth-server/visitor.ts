import { request } from "node:http";
import type { Answer } from "../support/http.ts";
import type { Running } from "./server.ts";

type Line = readonly [string, string];

/** A browser, as far as a server sees one: it keeps cookies and sends what pages send. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #server: Running;

  constructor(server: Running) {
    this.#server = server;
  }

  /** @param csrf whose readable cookie goes into the header */
  async send(method: string, path: string, body?: unknown, csrf?: "access" | "refresh"): Promise<Answer> {
    const headers: Line[] = [["Sec-Fetch-Site", "same-origin"]];
    if (body !== undefined) headers.push(["Content-Type", "application/json"]);
    if (this.cookies.size > 0) headers.push(["Cookie", this.line()]);
    if (csrf) headers.push(["X-CSRF-TOKEN", this.cookie(`csrf_${csrf}`)]);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await this.#server.send({ method, path, headers, body: text });
    for (const cookie of answer.setCookies) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/Max-Age=0/.test(cookie)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  line(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** The value of a cookie, whatever prefix its name has. */
  cookie(name: string): string {
    return this.cookies.get(`__Host-${name}`) ?? this.cookies.get(name) ?? "";
  }
}

/** A stream of events that is being read. */
export interface Listening {
  readonly status: number;
  /** What came so far. */
  text(): string;
  /** The data of all events of a name. */
  events(name: string): unknown[];
  /** When the server closed it, in milliseconds of `performance.now()`; `undefined` while it is open. */
  closedAt(): number | undefined;
  abort(): void;
}

/** Opens a stream of events. */
export function listen(server: Running, path: string, ...headers: Line[]): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const outgoing = request(server.url + path, { headers: Object.fromEntries(headers), agent: false }, (incoming) => {
      let text = "";
      let closedAt: number | undefined;
      incoming.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      incoming.on("error", () => {});
      incoming.on("close", () => {
        closedAt = performance.now();
      });
      resolve({
        status: incoming.statusCode ?? 0,
        text: () => text,
        events: (name) =>
          [...text.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)].flatMap(([, found, data]) =>
            found === name ? [JSON.parse(data as string) as unknown] : [],
          ),
        closedAt: () => closedAt,
        abort: () => outgoing.destroy(),
      });
    });
    outgoing.on("error", reject).end();
  });
}
