import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sendRaw } from "../support/http.ts";
import { type Client, MODES, PASSWORD, signIn } from "./clients.ts";
import { type Running, startServer } from "./server.ts";

let server: Running;
let bearer: Client;
let page: Client;
beforeAll(async () => {
  server = await startServer();
  bearer = await signIn(server, "bearer", "transport-bearer");
  page = await signIn(server, "cookie", "transport-cookie");
});
afterAll(async () => {
  const { code, output } = await server.stop();
  expect([code, output.match(/ERR_\w+|internal|unhandled/i)]).toEqual([0, null]);
});

const raw = (...lines: string[]): string => [...lines, "", ""].join("\r\n");
const statusOf = (text: string): string => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? "closed";
const get = (...headers: (readonly [string, string])[]) => server.send({ path: "/protected", headers });
/** Milliseconds of the quickest of a few: whatever else runs on this machine only ever makes it longer. */
async function quickest(work: () => Promise<unknown>, times = 5): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const begin = performance.now();
    await work();
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}

describe("the scheme", () => {
  it("counts in any letter case, with blanks around the token, and in no other form", async () => {
    const { access } = bearer;
    for (const good of [`bearer ${access}`, `BEARER ${access}`, `Bearer  ${access}`, `Bearer ${access} `])
      expect([good.slice(0, 8), (await get(["Authorization", good])).status]).toEqual([good.slice(0, 8), 200]);
    const bad = ["Bearer", "Bearer ", "Bearer  ", `Bearer${access}`, `Bearer a ${access}`, `Bearer ${access} b`];
    bad.push(
      `Basic ${access}`,
      `Token ${access}`,
      `, Bearer ${access}`,
      `Bearer=${access}`,
      `Bearer ${access},`,
      access,
    );
    bad.push(
      `Bearer ${access}, Bearer ${access}`,
      `"Bearer ${access}"`,
      `Bearer "${access}"`,
      `Bearer ${access}\u00e9`,
    );
    for (const value of bad) {
      const { status, text } = await get(["Authorization", value]);
      expect([value.slice(0, 12), [400, 401].includes(status), text.includes(access)]).toEqual([
        value.slice(0, 12),
        true,
        false,
      ]);
    }
  });

  it("twice is refused, whichever is good, and a cookie is no way around it", async () => {
    const lines = [`Authorization: Bearer ${bearer.access}`, "Authorization: Bearer x"];
    for (const two of [lines, [...lines].reverse(), [lines[0], lines[0]]]) {
      const answer = await sendRaw(
        server.url,
        raw("GET /protected HTTP/1.1", "Host: x", "Connection: close", ...(two as string[])),
      );
      expect(["400", "401"]).toContain(statusOf(answer));
    }
    const [cookie, csrf] = page.lines() as [[string, string], [string, string]];
    const post = (...more: [string, string][]) =>
      server.send({ method: "POST", path: "/logout-others", headers: [cookie, ...more] });
    expect((await post(csrf, ["X-CSRF-TOKEN", "x"])).status).toBe(403);
    expect((await post(["X-CSRF-TOKEN", "x"], csrf)).status).toBe(403);
    for (const value of ["Bearer x", "Basic x", "x"])
      expect((await post(["Authorization", value])).status).not.toBe(204);
    expect((await post(csrf)).status).toBe(204);
  });
});

describe("requests that mean two things", () => {
  const login = `{"username":"transport-bearer","password":"${PASSWORD}"}`;
  it.each([
    ["a blank before the colon", raw("GET /protected HTTP/1.1", "Host: x", "Authorization : Bearer TOKEN")],
    ["a folded line", raw("GET /protected HTTP/1.1", "Host: x", "Authorization:", " Bearer TOKEN")],
    ["bare line feeds", "GET /protected HTTP/1.1\nHost: x\nAuthorization: Bearer TOKEN\n\n"],
    ["a NUL", raw("GET /protected HTTP/1.1", "Host: x", "Authorization: Bearer\0TOKEN")],
    ["no host", raw("GET /protected HTTP/1.1", "Authorization: Bearer TOKEN")],
    [
      "a body of two lengths",
      `${raw("POST /login HTTP/1.1", "Host: x", "Content-Length: 5", "Content-Length: 6")}hello`,
    ],
    [
      "chunks and a length",
      `${raw("POST /logout HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\n\r\n`,
    ],
    [
      "an encoding that is none",
      `${raw("POST /login HTTP/1.1", "Host: x", "Transfer-Encoding: xchunked", `Content-Length: ${login.length}`)}${login}`,
    ],
    [
      "chunks that are no number",
      `${raw("POST /login HTTP/1.1", "Host: x", "Transfer-Encoding: chunked")}zz\r\n${login}`,
    ],
  ])("are refused, and no second one is read out of them: %s", async (_name, text) => {
    const answer = await sendRaw(server.url, text.replaceAll("TOKEN", bearer.access), 1_000);
    expect([statusOf(answer), answer.match(/HTTP\/1\.1 2/)]).toEqual(["400", null]);
  });

  it("leave the next request of a connection alone", async () => {
    const one = raw("POST /login HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 2").concat(
      "{}",
    );
    const two = raw("GET /health/live HTTP/1.1", "Host: x", "Connection: close");
    const answer = await sendRaw(server.url, one + two);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 400", "HTTP/1.1 200"]);
  });
});

describe("long lines", () => {
  it("are answered quickly, in time that grows with their length and no faster", async () => {
    for (const kib of [8, 16, 64]) {
      const value = `Bearer ${"a".repeat(kib * 1024)}`;
      const answer = await sendRaw(
        server.url,
        raw("GET /protected HTTP/1.1", "Host: x", "Connection: close", `Authorization: ${value}`),
      );
      expect([kib, ["401", "431"].includes(statusOf(answer))]).toEqual([kib, true]);
    }
    // What fits into the 16 KiB that Node takes.
    const texts: Readonly<Record<string, (n: number) => readonly [string, string]>> = {
      blanks: (n) => ["Authorization", `Bearer ${" ".repeat(n)}x`],
      dots: (n) => ["Authorization", `Bearer ${".".repeat(n)}`],
      parts: (n) => ["Authorization", `Bearer ${"a.".repeat(n / 2)}`],
      semicolons: (n) => ["Cookie", ";".repeat(n)],
      commas: (n) => ["Cookie", ",".repeat(n)],
      names: (n) => ["Cookie", "access_token=x;".repeat(n / 15)],
      percents: (n) => ["Cookie", `access_token=${"%".repeat(n)}`],
    };
    for (const [name, line] of Object.entries(texts)) {
      expect([name, [400, 401].includes((await get(line(14_000))).status)]).toEqual([name, true]);
      expect([name, (await quickest(() => get(line(14_000)))) < 50]).toEqual([name, true]);
    }
  });
});

describe("slow clients", () => {
  it.each(MODES)("five hundred at one byte a second stop nobody else (%s)", async (mode) => {
    const { hostname, port } = new URL(server.url);
    const head = raw("POST /login HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 60");
    const sockets: Socket[] = [];
    for (let i = 0; i < 500; i++) {
      const socket = connect(Number(port), hostname, () => void socket.write(head)).on("error", () => {});
      sockets.push(socket);
    }
    const drip = setInterval(() => {
      for (const socket of sockets) socket.write(" ");
    }, 1_000);
    try {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const client = await signIn(server, mode, "transport-patient");
      const took = await quickest(() => server.send({ path: "/me", headers: client.lines() }), 10);
      expect(took).toBeLessThan(200);
    } finally {
      clearInterval(drip);
      for (const socket of sockets) socket.destroy();
    }
    expect((await server.send({ path: "/health/ready" })).status).toBe(200);
  });
});
