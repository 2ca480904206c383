import type { IncomingMessage, ServerResponse } from "node:http";
import { bodyKind, formObject, noBody, parseBody, parsedBody } from "../http/body.ts";
import type { JwtReply, JwtRequest, ReadBody } from "../http/types.ts";
import { read } from "../internal/shapeless.ts";
import { charCodeAt } from "../internal/text.ts";
import { encodeReply, isListHeader } from "./face.ts";

/** Where a framework keeps the body that its parsers read, and the address as it came. */
export interface BodyCarrier {
  body?: unknown;
  readonly originalUrl?: string | undefined;
}

/** A request of `node:http`, seen as every room sees it. Nothing is read before it is asked for. */
export class NodeRequest implements JwtRequest {
  private readonly raw: IncomingMessage;
  private readonly carrier: BodyCarrier;
  private readonly limit: number;

  constructor(raw: IncomingMessage, carrier: BodyCarrier, limit: number) {
    this.raw = raw;
    this.carrier = carrier;
    this.limit = limit;
  }

  get method(): string {
    return read(this.raw, "method") ?? "GET";
  }

  get url(): string {
    return this.carrier.originalUrl ?? this.raw.url ?? "/";
  }

  get address(): string | undefined {
    return this.raw.socket?.remoteAddress;
  }

  header(name: string): readonly string[] {
    return headerLines(this.raw, name);
  }

  body(): Promise<ReadBody> {
    return readBody(this.raw, this.carrier, this.limit);
  }
}

const NONE: readonly string[] = Object.freeze([]);

/** The first character with the bit set by which ASCII letters differ in case: names that differ here are different names. */
const lowerBit = (name: string): number => charCodeAt(name, 0) | 0x20;

/** All lines of a header. `headers` of Node drops or joins repeated lines, so the raw ones are searched. */
function headerLines(raw: IncomingMessage, name: string): readonly string[] {
  const all = read(raw, "rawHeaders");
  const first = lowerBit(name);
  let lines: string[] | undefined;
  for (let i = 0; i < all.length; i += 2) {
    const found = all[i] as string;
    if (found.length !== name.length || lowerBit(found) !== first) continue;
    if (found !== name && found.toLowerCase() !== name) continue;
    if (lines === undefined) lines = [all[i + 1] as string];
    else lines.push(all[i + 1] as string);
  }
  if (lines !== undefined) return lines;
  // HTTP/2 names the host in a pseudo header (RFC 9113 §8.3.1).
  if (name === "host" && raw.httpVersionMajor >= 2) return headerLines(raw, ":authority");
  if (all.length > 0) return NONE;
  // Requests that a test tool or a serverless shim made up have no raw headers.
  const value: string | readonly string[] | undefined = raw.headers[name];
  return value === undefined ? NONE : typeof value === "string" ? [value] : value;
}

/** Bodies that were read here: several guards of one request share them. */
const reads = new WeakMap<IncomingMessage, Promise<ReadBody>>();

async function readBody(raw: IncomingMessage, carrier: BodyCarrier, limit: number): Promise<ReadBody> {
  const earlier = reads.get(raw);
  if (earlier) return earlier;
  const type = headerLines(raw, "content-type")[0];
  const kind = bodyKind(type);
  if (kind === undefined) return noBody("type");
  const consumed = raw.readableDidRead || raw.readableEnded;
  const parsed = carrier.body;
  // A parser that skipped this request may have left `{}` behind: that is no body then.
  if (parsed !== undefined && (consumed || !isEmpty(parsed))) return parsedBody(type, parsed);
  if (!mayHaveBody(raw)) return noBody("absent");
  if (consumed) return noBody("consumed");
  // A stream that cannot be understood here is left untouched for whoever can.
  const coding = headerLines(raw, "content-encoding")[0];
  if (kind === "multipart" || (coding !== undefined && coding.toLowerCase() !== "identity")) return noBody("type");
  if (Number(headerLines(raw, "content-length")[0] ?? 0) > limit) return noBody("too_large");
  const read = collect(raw, limit).then((bytes) => {
    if (typeof bytes === "string") return noBody(bytes);
    const body = parseBody(type, bytes);
    if (body.kind === "json") carrier.body = body.value;
    if (body.kind === "form") carrier.body = formObject(bytes.toString("utf8"));
    // Body parsers up to body-parser 1 (Express 4) look at this; later ones see that the stream has ended.
    (raw as { _body?: boolean })._body = true;
    return body;
  });
  reads.set(raw, read);
  return read;
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

function mayHaveBody(raw: IncomingMessage): boolean {
  if (raw.httpVersionMajor >= 2 || headerLines(raw, "transfer-encoding").length > 0) return true;
  const length = headerLines(raw, "content-length")[0];
  return length !== undefined && Number(length) !== 0;
}

/** Reads a stream up to a limit. It flows on without a listener, so that the rest is thrown away and the connection lives on. */
function collect(raw: IncomingMessage, limit: number): Promise<Buffer | "too_large" | "unparsable"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (result: Buffer | "too_large" | "unparsable"): void => {
      raw.off("data", onData).off("end", onEnd).off("error", onAbort).off("close", onAbort);
      resolve(result);
    };
    const onData = (chunk: Buffer | string): void => {
      size += chunk.length;
      if (size <= limit) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      else done("too_large");
    };
    const onEnd = (): void => done(Buffer.concat(chunks));
    const onAbort = (): void => done("unparsable");
    if (raw.destroyed) onAbort();
    else raw.on("data", onData).on("end", onEnd).on("error", onAbort).on("close", onAbort);
  });
}

/** Adds header lines; a header that can have but one value is replaced. */
export function appendNode(response: ServerResponse, headers: JwtReply["headers"]): void {
  if (headers.length === 0 || response.headersSent) return;
  for (const [name, value] of headers) {
    if (isListHeader(name)) response.appendHeader(name, value);
    else response.setHeader(name, value);
  }
}

/** Sends a whole answer, unless something else has answered meanwhile. */
export function sendNode(response: ServerResponse, reply: JwtReply): void {
  if (response.headersSent || response.writableEnded) return;
  const { headers, body } = encodeReply(reply);
  response.statusCode = reply.status;
  appendNode(response, headers);
  response.end(body);
}
