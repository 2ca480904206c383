import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { offerSetup } from "../../src/auth-server/first-administrator.ts";
import type { Answer } from "../support/http.ts";
import { claimsOf, type Pair, type Running, startServer } from "./server.ts";
import { Browser } from "./visitor.ts";

const USER = { username: "root", password: "an administrator's own" };
const fileOf = (server: Running): string => join(server.cwd, ".jwt-extended/setup-link");
const brief = ({ status, text }: Answer): string =>
  `${status} ${(JSON.parse(text) as { code?: string }).code ?? "pair"}`;

/** The token of the link that a server has left. */
function tokenOf(server: Running): string {
  const [, url, token] = /^(.*)\/#setup=([\w-]{43})\n$/.exec(readFileSync(fileOf(server), "utf8")) ?? [];
  expect(url).toBe(server.url);
  return token as string;
}

/** A clock that runs ahead once the file `later` is there. */
const AHEAD = `
import { existsSync } from "node:fs";
const { now } = performance;
performance.now = () => now.call(performance) + (existsSync("later") ? 30 * 60_000 : 0);
`;

describe("the link for the first administrator", () => {
  it("works once, and then there is nothing any more", async () => {
    const server = await startServer();
    expect((statSync(fileOf(server)).mode & 0o777).toString(8)).toBe("600");
    const token = tokenOf(server);
    expect(server.output()).toContain(".jwt-extended/setup-link");
    expect(brief(await server.post("/setup", { token: "x".repeat(43), ...USER }))).toBe("403 setup_refused");
    expect(brief(await server.post("/setup", { token, username: "x", password: USER.password }))).toBe(
      "400 username_invalid",
    );
    expect(brief(await server.post("/setup", { token, username: "root", password: "2short" }))).toBe(
      "400 password_too_short",
    );
    expect(brief(await server.post("/setup", { token, ...USER, roles: ["x"] }))).toBe("400 field_invalid");
    const made = await server.post("/setup", { token, ...USER });
    expect(brief(made)).toBe("201 pair");
    const { access_token } = made.json() as Pair;
    expect(claimsOf(access_token)).toMatchObject({ roles: ["admin"], fresh: true });
    expect((await server.ask("GET", "/admin", access_token)).json()).toEqual({ administrator: "root" });
    const { entries } = (await server.ask("GET", "/admin/audit?kind=register", access_token)).json() as {
      entries: object[];
    };
    expect(entries).toMatchObject([{ outcome: "ok", subject: claimsOf(access_token).sub, detail: "admin" }]);
    expect(existsSync(fileOf(server))).toBe(false);
    expect(brief(await server.post("/setup", { token, username: "again", password: USER.password }))).toBe(
      "404 setup_closed",
    );
    expect((await server.stop()).output).not.toContain(token);

    const second = await startServer({ cwd: server.cwd });
    expect(second.output()).not.toMatch(/no administrator/);
    expect(existsSync(fileOf(second))).toBe(false);
    expect(brief(await second.post("/setup", { token, ...USER }))).toBe("404 setup_closed");
    await second.stop();
  });

  it("makes one administrator of 50 that come at once", async () => {
    const server = await startServer();
    const token = tokenOf(server);
    const names = Array.from({ length: 50 }, (_, i) => `root-${i}`);
    const answers = await Promise.all(names.map((username) => server.post("/setup", { ...USER, token, username })));
    const counts = new Map<string, number>();
    for (const answer of answers) counts.set(brief(answer), (counts.get(brief(answer)) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({ "201 pair": 1, "404 setup_closed": 49 });
    const winner = answers.find(({ status }) => status === 201)?.json() as Pair;
    const { users } = (await server.ask("GET", "/admin/users", winner.access_token)).json() as { users: unknown[] };
    expect(users).toHaveLength(1);
    await server.stop();
  });

  it("ends with its time", async () => {
    const server = await startServer({ before: AHEAD });
    const token = tokenOf(server);
    writeFileSync(join(server.cwd, "later"), "");
    expect(brief(await server.post("/setup", { token, ...USER }))).toBe("404 setup_closed");
    expect(existsSync(fileOf(server))).toBe(false);
    await server.stop();
  });

  it("gives a page cookies, and no page of another site anything", async () => {
    const server = await startServer();
    const token = tokenOf(server);
    const headers = [
      ["Content-Type", "application/json"],
      ["Sec-Fetch-Site", "cross-site"],
    ] as const;
    const body = JSON.stringify({ token, ...USER, via: "cookies" });
    expect(brief(await server.send({ method: "POST", path: "/setup", headers, body }))).toBe("403 csrf_origin");
    const browser = new Browser(server);
    const made = await browser.send("POST", "/setup", { token, ...USER, via: "cookies" });
    expect(made.status).toBe(201);
    expect(made.text).not.toContain("eyJ");
    expect((await browser.send("GET", "/admin")).json()).toEqual({ administrator: "root" });
    await server.stop();
  });

  it("is shown where people sit at a terminal, and then is in no file", () => {
    const setup = { open: () => "a-token", onClosed: () => expect.unreachable() };
    expect(offerSetup("http://127.0.0.1:5000", setup as never, true)).toMatch(
      /^There is no administrator yet: open http:\/\/127\.0\.0\.1:5000\/#setup=a-token within 30 minutes/,
    );
  });

  it("goes when the server ends, and is none where the environment names somebody", async () => {
    const server = await startServer();
    const token = tokenOf(server);
    await server.stop();
    expect(existsSync(fileOf(server))).toBe(false);
    const named = await startServer({ env: { ADMIN_USERNAME: "boss", ADMIN_PASSWORD: "a password of the boss" } });
    expect(existsSync(fileOf(named))).toBe(false);
    expect(brief(await named.post("/setup", { token, ...USER }))).toBe("404 setup_closed");
    await named.stop();
  });
});
