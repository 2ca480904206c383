import { createHmac } from "node:crypto";
import type { JwtRequest, ReadBody } from "jwt-extended";
import { SECRET } from "./serve.ts";

const segment = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A whole second, now. */
export const seconds = (): number => Math.floor(Date.now() / 1000);

/** The claims of a good access token of the default mode. */
export function goodClaims(claims: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const iat = seconds();
  return { sub: "ada", type: "access", iat, exp: iat + 600, jti: "some-jti", fresh: false, ...claims };
}

/** Signs whatever it is given with HS256, as another service with the same secret might. Text stands as it is. */
export function forge(claims: unknown, header: unknown = { alg: "HS256", typ: "JWT" }, secret = SECRET): string {
  const input = `${segment(header)}.${segment(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** The same without some claims. */
export function without(...names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(goodClaims()).filter(([name]) => !names.includes(name)));
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

interface NeutralRequest {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: ReadBody;
}

/** A request as the core sees it, without any framework. */
export function requestOf({ method = "GET", url = "/", headers = [], body }: NeutralRequest = {}): JwtRequest {
  return {
    method,
    url,
    header: (name) => headers.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value),
    body: async () => body ?? { kind: "none", why: "absent" },
  };
}
