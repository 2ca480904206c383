import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AuditEntry, AuditStore } from "../../src/accounts/audit.ts";
import { createAuditFeed } from "../../src/auth-server/audit-feed.ts";
import { createHandler } from "../../src/auth-server/handler.ts";
import { openLog } from "../../src/auth-server/log.ts";
import { createStreams } from "../../src/auth-server/streams.ts";
import { isRefusal } from "../../src/errors.ts";
import { send } from "../support/http.ts";

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const server of servers.splice(0)) server.closeAllConnections();
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A log, and what it has written. */
function logOf(logFormat: "json" | "text" = "json") {
  let text = "";
  const stdout = { write: (more: string) => (text += more) };
  const log = openLog({ logLevel: "info", logFormat, production: true }, { stdout, stderr: stdout }, () => ({}));
  return { log, text: () => text };
}

it("an unknown error is one generic answer, and stands in the log", async () => {
  const { log, text } = logOf();
  const run = async () => {
    throw Object.assign(new Error("a private detail"), { parameters: ["marker-row"] });
  };
  const rows = [{ method: "GET", path: "/", run }] as const;
  const url = await serving(createHandler(rows, { headers: [], maxBodyBytes: 1, messageKey: "msg", log }).listener);
  const answer = await send(url);
  expect([answer.status, answer.text]).toEqual([500, '{"code":"internal","msg":"Something went wrong on our side"}']);
  expect(text()).toContain("a private detail");
  expect(text()).not.toContain("marker-row");
});

describe("the log", () => {
  const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";

  it.each(["json", "text"] as const)("holds nothing secret (%s)", (format) => {
    const { log, text } = logOf(format);
    log.info({ password: "marker-1", user: { token: "marker-2", cookie: "marker-3" } }, `came with ${token}`);
    log.error({ err: new Error(`postgres://jx:marker-4@db/x ${token}`) }, "failed");
    expect(text()).toMatch(/came with \[token\]/);
    expect(text()).toMatch(/postgres:\/\/\[credentials\]@db/);
    expect(text()).not.toMatch(/marker-|eyJ/);
  });
});

describe("streams", () => {
  it("are bounded for each user and in all, and make room again", async () => {
    const streams = createStreams({ ofUser: 2, all: 3 });
    const ended: string[] = [];
    const url = await serving((req, res) => {
      const subject = req.url ?? "";
      try {
        streams.open(res, subject, () => ended.push(subject));
      } catch (error) {
        res.writeHead(isRefusal(error) ? error.status : 500).end();
      }
    });
    const open = async (path: string) => {
      const abort = new AbortController();
      const { status } = await fetch(url + path, { signal: abort.signal });
      return { status, close: () => abort.abort() };
    };
    const first = await open("/a");
    expect(first.status).toBe(200);
    expect((await open("/a")).status).toBe(200);
    expect((await open("/a")).status).toBe(503);
    expect((await open("/b")).status).toBe(200);
    expect((await open("/c")).status).toBe(503);
    first.close();
    await expect.poll(() => ended).toEqual(["/a"]);
    expect((await open("/c")).status).toBe(200);
    streams.close();
    await expect.poll(() => ended.length).toBe(4);
    expect((await open("/d")).status).toBe(503);
  });

  it("give a sign of life every 20 seconds, until they end", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const streams = createStreams();
    let beats = 0;
    const url = await serving((_req, res) => void streams.open(res, "a", vi.fn(), () => beats++));
    const { body } = await fetch(url);
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader?.read()).toMatchObject({ value: ":\n\n" });
    vi.advanceTimersByTime(19_999);
    expect(beats).toBe(0);
    vi.advanceTimersByTime(1);
    expect(await reader?.read()).toMatchObject({ value: ":\n\n" });
    streams.close();
    expect(await reader?.read()).toMatchObject({ done: true });
    vi.advanceTimersByTime(60_000);
    expect(beats).toBe(1);
  });

  it("take nothing any more once they are closed", async () => {
    const streams = createStreams();
    let ends = 0;
    const url = await serving((_req, res) => {
      const stream = streams.open(res, "a", () => ends++);
      stream.send("last", { word: 1 });
      for (let i = 0; i < 2; i++) {
        stream.close();
        stream.send("late", {});
      }
    });
    expect((await send(url)).text).toBe(':\n\nevent: last\ndata: {"word":1}\n\n');
    expect(ends).toBe(1);
  });

  it("answer HEAD without staying open", async () => {
    const streams = createStreams();
    const url = await serving((_req, res) => void streams.open(res, "a", () => {}));
    expect((await send(url, { method: "HEAD" })).status).toBe(200);
  });

  it("cut off a client that does not read", { timeout: 20_000 }, async () => {
    const streams = createStreams();
    let end: (() => void) | undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const url = await serving((_req, res) => {
      const stream = streams.open(res, "a", () => {
        clearInterval(flood);
        end?.();
      });
      const flood = setInterval(() => stream.send("much", { text: "x".repeat(500_000) }), 1);
    });
    const { body } = await fetch(url);
    await ended;
    await body?.cancel().catch(() => {});
  });
});

describe("the feed of the audit trail", () => {
  const entry = (id: string): AuditEntry =>
    ({ id, at: 1, kind: "login", outcome: "ok", subject: null, actor: null, session: null }) as unknown as AuditEntry;

  it("tells what comes from this process and from others, each entry once and nothing old", async () => {
    const table = [entry("1")];
    const inner: AuditStore = { add: (one) => void table.push(one), find: () => [...table].reverse() };
    const { store, listen } = createAuditFeed(inner);
    const heard: string[] = [];
    const stop = listen(({ id }) => heard.push(id));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await store.add(entry("2"));
    expect(heard).toEqual(["2"]);
    table.push(entry("3"));
    await expect.poll(() => heard, { timeout: 4_000 }).toEqual(["2", "3"]);
    stop();
    await store.add(entry("4"));
    expect(heard).toEqual(["2", "3"]);
  });
});
