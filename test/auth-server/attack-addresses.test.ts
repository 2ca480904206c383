import { beforeAll, describe, expect, it } from "vitest";
import { FOREIGN_FIELDS } from "../support/bodies.ts";
import { MODES, PASSWORD, signIn } from "./clients.ts";
import { type Running, startServer } from "./server.ts";

type Line = readonly [string, string];

let server: Running;
beforeAll(async () => {
  server = await startServer();
});

describe.each(MODES)("an address in %s mode", (mode) => {
  const names = { username: `addressed-${mode}`, password: PASSWORD, via: mode === "cookie" ? "cookies" : "body" };
  const post = (path: string, headers: readonly Line[], body?: object) =>
    server.send({ method: "POST", path, headers, body: body && JSON.stringify(body) });

  it("sends nobody elsewhere, whatever it or a Referer asks for", async () => {
    for (const next of [
      "//evil.example",
      "https:evil.example",
      "/\\evil.example",
      "%2f%2fevil.example",
      "javascript:x",
    ]) {
      const query = `?next=${encodeURIComponent(next)}&returnTo=${next}&redirect_uri=${next}`;
      const client = await signIn(server, mode, names.username);
      const referer: Line = ["Referer", next];
      const answers = [
        await post(`/login${query}`, [["Content-Type", "application/json"], referer], names),
        await post(`/logout${query}`, [...client.lines(), referer]),
      ];
      expect(answers.map(({ status }) => status)).toEqual([201, 204]);
      for (const { text, header } of answers)
        expect([header("location"), header("refresh"), /evil|javascript/.test(text)]).toEqual([[], [], false]);
    }
  });

  it("carries no token", async () => {
    const { access } = await signIn(server, mode, names.username);
    for (const name of ["access_token", "jwt", "token", "authorization"]) {
      const answer = await server.send({ path: `/me?${name}=${access}` });
      expect([answer.status, answer.json()]).toMatchObject([401, { code: "token_missing" }]);
    }
  });

  it("gives a new account nothing that its body asks for", async () => {
    for (const field of FOREIGN_FIELDS) {
      for (const path of ["/register", "/login"]) {
        const answer = await post(path, [["Content-Type", "application/json"]], { ...names, [field]: ["admin"] });
        expect([path, field, answer.status, answer.setCookies]).toEqual([path, field, 400, []]);
      }
    }
  });
});

it("with tokens in the query switched on, they are in no log, no Referer and no cache, and never beside another", async () => {
  const open = await startServer({ env: { JWT_TOKEN_LOCATION: "headers,query_string", LOG_LEVEL: "trace" } });
  const client = await signIn(open, "bearer", "queried");
  const path = `/me?jwt=${client.access}`;
  const answer = await open.send({ path });
  expect([answer.status, answer.header("referrer-policy"), answer.header("cache-control")]).toEqual([
    200,
    ["no-referrer"],
    ["no-store"],
  ]);
  expect((await open.send({ path, headers: client.lines() })).status).toBe(400);
  expect((await open.send({ path: `${path}x` })).status).toBe(401);
  expect((await open.send({ path: `/nowhere?jwt=${client.access}` })).status).toBe(404);
  const { output } = await open.stop();
  expect(output).toContain("/me");
  for (const part of client.access.split(".").slice(1)) expect(output).not.toContain(part.slice(0, 20));
});
