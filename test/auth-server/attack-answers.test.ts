import { beforeAll, describe, expect, it } from "vitest";
import type { Answer, SendOptions } from "../support/http.ts";
import { type Client, MODES, PASSWORD, signIn } from "./clients.ts";
import { type Running, startServer } from "./server.ts";

type Line = readonly [string, string];
const JSON_TYPE: Line = ["Content-Type", "application/json"];
const MARKER = "marker-of-the-client";

let server: Running;
beforeAll(async () => {
  server = await startServer();
});

/** What no stranger needs to know: where the code is, what it is made of, what it was doing. */
const INSIDE =
  /node_modules|node:internal|\.[tj]s:\d|\bat [\w.<>]+ \(|\/(src|home|work|tmp|usr)\/|SELECT|INSERT|SQLITE|argon2|kysely|libsql|jose|express|stack|Error:/;

const BROKEN = [
  "",
  "null",
  "[]",
  '"x"',
  "{",
  "1e400",
  "{}{}",
  "\ufeff{}",
  '{"a":1,"a":2}',
  `{"${MARKER}":1}`,
  `{"__proto__":{"roles":["admin"]}}`,
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"username":{"$ne":null},"password":{"$ne":null},"newPassword":{"$ne":null}}',
  '{"username":["a"],"password":[1],"newPassword":1e400}',
  '{"username":"a\\u0000b","password":"\\ud800","newPassword":"\\ud800"}',
  "[".repeat(20_000),
  Buffer.from('{"username":"a"}', "utf16le"),
  Buffer.from([0xff, 0xfe, 0x00]),
];

describe.each(MODES)("in %s mode", (mode) => {
  let client: Client;
  beforeAll(async () => {
    client = await signIn(server, mode, `answers-${mode}`);
  });
  const via = mode === "cookie" ? "cookies" : "body";

  it("no body makes a route fail, and none leaves anything behind", async () => {
    for (const path of ["/login", "/register", "/password", "/setup", "/refresh", "/logout-others"]) {
      const kind = path === "/refresh" ? "refresh" : "access";
      for (const body of BROKEN) {
        const headers = [...(path === "/login" || path === "/register" ? [] : client.lines(kind)), JSON_TYPE];
        const { status, text } = await server.send({ method: "POST", path, headers, body });
        // A refresh and a logout by header need no body, and look at none.
        const isFine = status >= 400 && status < 500;
        const needsNone = (path === "/refresh" || path === "/logout-others") && status < 300;
        expect([path, String(body).slice(0, 40), isFine || needsNone]).toEqual([path, String(body).slice(0, 40), true]);
        expect(text).not.toMatch(INSIDE);
        expect(text).not.toContain(MARKER);
        if (path === "/refresh" && needsNone) client = await signIn(server, mode, `answers-${mode}`);
      }
    }
    client = await signIn(server, mode, `answers-${mode}`);
    expect((await server.send({ path: "/me", headers: client.lines() })).json()).toMatchObject({ roles: [] });
  });

  it("refusals name a code and a sentence, and give back nothing that came", async () => {
    const [head = "", payload = "", signature = ""] = client.access.split(".");
    const token = (text: string): Line =>
      mode === "bearer" ? ["Authorization", `Bearer ${text}`] : ["Cookie", `access_token=${text}`];
    const odd = [
      MARKER,
      `"${MARKER}"`,
      `${MARKER}", error="none`,
      `${head}.${payload}.${MARKER}`,
      `${head}.${Buffer.from(`{"sub":"${MARKER}"}`).toString("base64url")}.${signature}`,
      `${Buffer.from(`{"alg":"none","kid":"${MARKER}"}`).toString("base64url")}.${payload}.`,
      `${Buffer.from(`{"alg":"HS256","kid":"../../${MARKER}"}`).toString("base64url")}.${payload}.${signature}`,
      client.refresh,
    ];
    for (const text of odd) {
      const answer = await server.send({ path: `/me?${MARKER}`, headers: [token(text), ["User-Agent", MARKER]] });
      expect([text, [400, 401].includes(answer.status)]).toEqual([text, true]);
      const all = `${answer.headers.flat().join("\n")}\n${answer.text}`;
      expect(all).not.toContain(MARKER);
      expect(all).not.toMatch(INSIDE);
      expect(all).not.toContain(client.refresh);
      expect(Object.keys(answer.json() as object)).toEqual(["code", "msg"]);
      expect(answer.header("www-authenticate").join()).toMatch(/^(Bearer( error="\w+"(, \w+="[\w ]*")*)?)?$/);
    }
    for (const path of [`/${MARKER}`, `/sessions/${MARKER}`, `/admin/users/${MARKER}`]) {
      const answer = await server.send({ path, headers: client.lines() });
      expect(answer.status).toBeGreaterThanOrEqual(403);
      expect(answer.text).not.toContain(MARKER);
    }
  });

  it("answers with tokens are kept nowhere, and never called unchanged", async () => {
    const unchanged: Line[] = [
      ["If-None-Match", "*"],
      ["If-Modified-Since", new Date(Date.now() + 60_000).toUTCString()],
    ];
    const names = (username: string): string => JSON.stringify({ username, password: PASSWORD, via });
    const change = JSON.stringify({ currentPassword: PASSWORD, newPassword: PASSWORD });
    const asked: readonly (readonly [string, SendOptions])[] = [
      ["register", { path: "/register", headers: [JSON_TYPE], body: names(`kept-${mode}`) }],
      ["login", { path: "/login", headers: [JSON_TYPE], body: names(`answers-${mode}`) }],
      ["refresh", { path: "/refresh", headers: client.lines("refresh") }],
      ["password", { path: "/password", headers: [...client.lines(), JSON_TYPE], body: change }],
    ];
    for (const [name, options] of asked) {
      const headers = [...(options.headers ?? []), ...unchanged];
      notKept(name, await server.send({ method: "POST", ...options, headers }));
    }
    client = await signIn(server, mode, `answers-${mode}`);
    for (const path of ["/me", "/protected", "/token", "/sessions"])
      notKept(path, await server.send({ path, headers: [...client.lines(), ...unchanged] }));
    notKept(
      "logout",
      await server.send({ method: "POST", path: "/logout", headers: [...client.lines(), ...unchanged] }),
    );
  });
});

function notKept(name: string, { status, header }: Answer): void {
  expect([name, status < 300, header("cache-control")]).toEqual([name, true, ["no-store"]]);
  expect([name, header("etag"), header("last-modified")]).toEqual([name, [], []]);
}
