import { createServer, type IncomingMessage, request as open } from "node:http";
import { describe, expect, it } from "vitest";
import { type BodyCarrier, NodeRequest } from "../../src/adapters/node-request.ts";
import { WebRequest } from "../../src/adapters/web-request.ts";
import type { ReadBody } from "../../src/http/types.ts";
import { listen } from "../support/harness/tools.ts";

type Native = IncomingMessage & BodyCarrier & { _body?: boolean };
interface Sent {
  readonly type?: string;
  readonly body?: Uint8Array | string;
}

/** What a body turns out to be, seen through `node:http`. `before` stands for what ran in front. */
async function overNode({ type, body }: Sent, before?: (req: Native) => unknown): Promise<[ReadBody, Native]> {
  let seen: [ReadBody, Native] | undefined;
  const server = await listen(
    createServer(async (req, res) => {
      await before?.(req);
      seen = [await new NodeRequest(req, req, 100).body(), req];
      res.end();
    }),
  );
  const headers = type === undefined ? {} : { "content-type": type };
  await new Promise((resolve, reject) =>
    open(server.url, { method: "POST", headers, agent: false }, (res) => res.resume().on("end", resolve))
      .on("error", reject)
      .end(body),
  );
  await server.close();
  return seen as [ReadBody, Native];
}

async function overWeb({ type, body }: Sent, before?: (request: Request) => unknown): Promise<ReadBody> {
  const headers = type === undefined ? new Headers() : new Headers({ "content-type": type });
  const request = new Request("http://x/", { method: "POST", headers, body: (body as string) ?? null });
  // `Request` names a type of its own for text.
  if (type === undefined) request.headers.delete("content-type");
  await before?.(request);
  return new WebRequest(request, 100).body();
}

const json = "application/json";
const none = (why: string) => ({ kind: "none", why });
const CASES: readonly (readonly [string, Sent, object])[] = [
  ["JSON", { type: json, body: '{"a":1}' }, { kind: "json", value: { a: 1 } }],
  ["nothing", { type: json }, none("absent")],
  ["no type", { body: "{}" }, none("type")],
  ["a foreign type", { type: "text/plain", body: "{}" }, none("type")],
  ["broken JSON", { type: json, body: "{" }, none("unparsable")],
  ["a byte order mark", { type: json, body: "\u{feff}{}" }, none("unparsable")],
  ["wrong UTF-8", { type: json, body: Buffer.from([0x22, 0xff, 0x22]) }, none("unparsable")],
  ["100 bytes", { type: json, body: `"${"x".repeat(98)}"` }, { kind: "json", value: "x".repeat(98) }],
  ["101 bytes", { type: json, body: `"${"x".repeat(99)}"` }, none("too_large")],
];

describe.each(CASES)("a body: %s", (_, sent, expected) => {
  it("is the same over Node and the Web", async () => {
    const [[node], web] = await Promise.all([overNode(sent), overWeb(sent)]);
    expect([node, web]).toEqual([expected, expected]);
  });
});

describe("a body that others have met", () => {
  const sent = { type: json, body: '{"a":1}' };

  it("is consumed, if it is not kept anywhere", async () => {
    const drain = async (req: Native): Promise<void> => {
      for await (const _ of req);
    };
    expect((await overNode(sent, drain))[0]).toEqual(none("consumed"));
    expect(await overWeb(sent, (request) => request.text())).toEqual(none("consumed"));
    const lock = (request: Request): unknown => request.body?.getReader();
    expect(await overWeb(sent, lock)).toEqual(none("consumed"));
  });

  it("is read where a parser that skipped it left an empty object", async () => {
    const skip = (req: Native): void => {
      req.body = {};
    };
    const [read, req] = await overNode(sent, skip);
    expect([read, req.body]).toEqual([{ kind: "json", value: { a: 1 } }, { a: 1 }]);
  });

  it("is marked for the parsers of Express 4", async () => {
    expect((await overNode(sent))[1]._body).toBe(true);
    expect((await overNode({ ...sent, type: "text/plain" }))[1]._body).toBeUndefined();
  });

  it("is taken as parsed, raw or multipart", async () => {
    const keep = (value: unknown) => async (req: Native) => {
      for await (const _ of req);
      req.body = value;
    };
    const form = "application/x-www-form-urlencoded";
    const first = async (type: string, value: unknown): Promise<unknown> => {
      const [read] = await overNode({ type, body: "x" }, keep(value));
      return read.kind === "form" ? ["a", "toString", "__proto__"].map((name) => read.first(name)) : read;
    };
    const rest = [undefined, undefined];
    expect(await first(form, { a: ["1", "2"] })).toEqual(["1", ...rest]);
    expect(await first(form, Buffer.from("a=1&a=2"))).toEqual(["1", ...rest]);
    expect(await first(form, "b=1")).toEqual([undefined, ...rest]);
    expect(await first("multipart/form-data; boundary=x", { a: { type: "field", value: "1" } })).toEqual([
      "1",
      ...rest,
    ]);
    expect(await first("multipart/form-data; boundary=x", { a: { type: "file", value: "1" } })).toEqual([
      undefined,
      ...rest,
    ]);
    expect(await first(form, { a: { $ne: null } })).toEqual([undefined, ...rest]);
    expect(await first(json, Buffer.from("[1]"))).toEqual({ kind: "json", value: [1] });
  });
});
