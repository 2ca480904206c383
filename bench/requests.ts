import type { IncomingMessage } from "node:http";
import { NodeRequest } from "../src/adapters/node-request.ts";
import type { JwtRequest } from "../src/http/types.ts";
import type { JWTManager } from "../src/manager.ts";

export type Lines = readonly (readonly [name: string, value: string])[];

const BROWSER: Lines = [
  ["Host", "api.example"],
  ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
  ["Accept", "application/json"],
  ["Accept-Encoding", "gzip, deflate, br"],
  ["Origin", "https://api.example"],
  ["Sec-Fetch-Site", "same-origin"],
];

/** The header lines of a request that carries its token in a header. */
export const headerLines = (token: string): Lines => [...BROWSER, ["Authorization", `Bearer ${token}`]];

/** The header lines of a request that carries its token in a cookie, and the CSRF value beside it. */
export async function cookieLines(
  manager: Pick<JWTManager, "cookieHeaders" | "getCsrfToken">,
  token: string,
): Promise<Lines> {
  const set = await manager.cookieHeaders("access", token);
  const cookies = set.map(([, line]) => line.slice(0, line.indexOf(";"))).join("; ");
  return [...BROWSER, ["Cookie", cookies], ["X-CSRF-TOKEN", await manager.getCsrfToken(token)]];
}

/** A request as the adapters over `node:http` see it, each text of it a new string. */
export function asRequest(method: string, lines: Lines): JwtRequest {
  const rawHeaders = lines.flat().map((text) => Buffer.from(text, "latin1").toString("latin1"));
  const raw = { method, url: "/protected", rawHeaders, httpVersionMajor: 1 };
  return new NodeRequest(raw as unknown as IncomingMessage, {}, 65_536);
}

/** A request as it goes over the wire. An empty body is announced where one may be expected. */
export function asBytes(method: string, path: string, lines: Lines): Buffer {
  const length: Lines = method === "POST" ? [["Content-Length", "0"]] : [];
  const head = [`${method} ${path} HTTP/1.1`, ...[...lines, ...length].map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1");
}
