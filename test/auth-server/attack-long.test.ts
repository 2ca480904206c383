import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import Database from "libsql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { MODES, PASSWORD, signIn } from "./clients.ts";
import { type Running, startServer } from "./server.ts";
import { listen } from "./visitor.ts";

/** Seconds of traffic. `LONG_RUN=600` is a run of ten minutes. */
const SECONDS = Number(process.env.LONG_RUN ?? 8);

/** `GET /measure` prints the heap after a collection, and what is open. */
const WATCH = `
import { Server } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const { emit } = Server.prototype;
Server.prototype.emit = function (name, ...rest) {
  if (name === "request" && rest[0].url === "/measure") {
    collect();
    const open = process.getActiveResourcesInfo().filter((one) => !/Timeout|Immediate/.test(one)).length;
    console.log("MEASURED " + JSON.stringify({ heap: process.memoryUsage().heapUsed, open }));
  }
  return emit.call(this, name, ...rest);
};`;

let server: Running;
beforeAll(async () => {
  server = await startServer({ before: WATCH, env: { LOG_LEVEL: "warn" } });
});
afterAll(async () => {
  const { code, output } = await server.stop();
  expect([code, output.match(/ERR_\w+|unhandled|internal|a request failed/i)]).toEqual([0, null]);
});

async function measure(): Promise<{ heap: number; open: number }> {
  await pause(300);
  const before = server.output().length;
  await server.send({ path: "/measure" });
  const [, json = "{}"] = /MEASURED (.*)/.exec(server.output().slice(before)) ?? [];
  return JSON.parse(json) as { heap: number; open: number };
}

/** A client that hangs up in the middle: before the body is whole, before the answer comes, or while it is read. */
function hangUp(text: string, after: number): Promise<void> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(text);
      setTimeout(() => socket.resetAndDestroy(), after);
    });
    socket.on("error", () => {}).on("close", () => resolve());
  });
}

const head = (...lines: string[]): string => [...lines, "Host: x", "", ""].join("\r\n");

it("clients that hang up get nothing done twice, and nobody else hears of it", async () => {
  const names = { username: "hanging", password: PASSWORD };
  const client = await signIn(server, "bearer", names.username);
  const body = JSON.stringify({ ...names, password: "wrong password" });
  const login = head("POST /login HTTP/1.1", "Content-Type: application/json", `Content-Length: ${body.length}`);
  const me = head("GET /me HTTP/1.1", `Authorization: Bearer ${client.access}`);
  const bad = head("GET /me HTTP/1.1", `Authorization: Bearer ${client.access}x`);
  const texts = [login, login + body.slice(0, 5), login + body, me, bad, me.repeat(3), bad.repeat(3)];
  for (let i = 0; i < 12; i++)
    await Promise.all(texts.flatMap((text) => [0, 1, 5].map((after) => hangUp(text, after))));
  expect((await server.send({ path: "/me", headers: client.lines() })).status).toBe(200);
  expect((await server.post("/login", { ...names, username: "nobody" })).status).toBe(401);
});

/** A second or so of what good and bad clients do, in both modes. */
async function traffic(round: number): Promise<void> {
  for (const mode of MODES) {
    const client = await signIn(server, mode, `long-${mode}-${round % 5}`);
    const stream = await listen(server, "/events", ...client.lines());
    const one = (path: string, method = "GET", headers = client.lines()) => server.send({ method, path, headers });
    const answers = await Promise.all([
      ...Array.from({ length: 60 }, () => one("/me")),
      ...Array.from({ length: 30 }, (_, i) => one(`/nowhere/${i}`)),
      ...Array.from({ length: 30 }, () => one("/me", "GET", [["Authorization", `Bearer ${".".repeat(8_000)}`]])),
      ...Array.from({ length: 30 }, (_, i) => one("/me", "GET", [["Authorization", `Bearer ${client.access}${i}`]])),
      ...Array.from({ length: 10 }, () => server.post("/login", "[".repeat(30_000))),
      server.post("/login", "x".repeat(10 * 1024 * 1024)),
      server.post("/login", { username: `nobody-${mode}`, password: "wrong password" }),
      one("/refresh", "POST", client.lines("refresh")),
    ]);
    expect(answers.filter(({ status }) => status >= 500).map(({ text }) => text)).toEqual([]);
    expect((await one("/logout", "POST")).status).toBe(204);
    await expect.poll(() => stream.closedAt(), { timeout: 3_000 }).toBeDefined();
  }
}

it("some seconds of good and bad traffic leave neither memory nor handles, and rows of logins alone", {
  timeout: (SECONDS + 80) * 1_000,
}, async () => {
  for (let i = 0; i < 5; i++) await traffic(i);
  const first = await measure();
  const before = rows(server);
  const until = performance.now() + 1000 * SECONDS;
  let rounds = 0;
  while (performance.now() < until || rounds < 5) await traffic(rounds++);
  const last = await measure();
  console.info(`${rounds} rounds: heap ${first.heap} to ${last.heap} bytes, ${first.open} to ${last.open} handles`);
  expect(first.heap).toBeGreaterThan(1_000_000);
  expect(last.heap - first.heap).toBeLessThan(5_000_000);
  expect(Math.abs(last.open - first.open)).toBeLessThanOrEqual(3);

  const grown = rows(server).map((count, i) => count - (before[i] as number));
  // Broken tokens, bodies and addresses leave none. Sessions that are over go after some minutes, when no token can name them any more.
  const [users, sessions, flags, spent] = grown as [number, number, number, number];
  expect([users, spent]).toEqual([0, 0]);
  if (SECONDS < 300) expect(sessions).toBe(2 * rounds);
  expect(sessions).toBeGreaterThan(0);
  expect(sessions).toBeLessThanOrEqual(2 * rounds);
  expect(flags).toBeLessThanOrEqual(2 * rounds);
});

/** How many users, sessions, ended sessions and names that are taken once there are. */
function rows({ cwd }: Running): number[] {
  const database = new Database(join(cwd, "data/auth.db"), { readonly: true });
  const counts = ["users", "sessions", "flags", "spent"].map(
    (table) => (database.prepare(`SELECT count(*) AS n FROM jx_${table}`).get() as { n: number }).n,
  );
  database.close();
  return counts;
}
