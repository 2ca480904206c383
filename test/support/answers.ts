import { expect } from "vitest";
import type { TestRoute } from "./harness/types.ts";
import type { Answer } from "./http.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** A guarded route that says whom it sees. */
export function who(guard: TestRoute["guard"] = {}, path = "/me", methods: readonly string[] = METHODS): TestRoute {
  return {
    methods,
    path,
    guard,
    handler: (tools) => {
      const auth = tools.tryGetAuth();
      const { identity: id, location, sessionId: session = null, user = null } = auth;
      return { json: { id, location, session, user, ...("reason" in auth && { reason: auth.reason }) } };
    },
  };
}

/** An unguarded route that runs something. */
export function act(path: string, handler: TestRoute["handler"]): TestRoute {
  return { methods: ["GET", "POST"], path, handler };
}

/** Expects the one form that every refusal has: status, code and sentence as JSON, a challenge, and no caching. */
export function refused(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(`"code":"${code}"`)]);
  expect(answer.json()).toEqual({ code, msg: expect.any(String) });
  expect(answer.header("content-type")[0]).toMatch(/^application\/json/);
  expect(answer.header("cache-control")).toEqual(["no-store"]);
  expect(answer.setCookies).toEqual([]);
  const challenges = answer.header("www-authenticate");
  expect(challenges.length).toBe(status === 401 || status === 400 || code === "insufficient_scope" ? 1 : 0);
}

/** Expects that a route let somebody in. */
export function passed(answer: Answer, id: string | null = "ada"): void {
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(`"id":${JSON.stringify(id)}`)]);
}

/** A `Set-Cookie` line in its parts. */
export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** In lower case, without a value as `""`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** All cookies that an answer sets, by name. */
export function cookiesOf(answer: Answer): Record<string, SetCookie> {
  const all = answer.setCookies.map((line): SetCookie => {
    const [first = "", ...rest] = line.split("; ");
    const at = first.indexOf("=");
    const attributes = rest.map((part) => {
      const equals = part.indexOf("=");
      return equals < 0 ? [part.toLowerCase(), ""] : [part.slice(0, equals).toLowerCase(), part.slice(equals + 1)];
    });
    return { name: first.slice(0, at), value: first.slice(at + 1), attributes: Object.fromEntries(attributes) };
  });
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  return Object.fromEntries(all.map((cookie) => [cookie.name, cookie]));
}

/** The `Cookie` header of some pairs. */
export const cookie = (...pairs: readonly string[]): readonly [string, string] => ["Cookie", pairs.join("; ")];

/** A handler whose mistakes are told instead of thrown: what the library says to developers is no answer to clients. */
export function told(handler: TestRoute["handler"]): TestRoute["handler"] {
  return async (tools) => {
    try {
      return await handler(tools);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return { status: 599, json: { code, message } };
    }
  };
}
