import { bodyKind, noBody, parseBody, parsedBody } from "../http/body.ts";
import type { JwtReply, JwtRequest, ReadBody } from "../http/types.ts";

/** A Web `Request`, seen as every room sees it. Nothing is read before it is asked for. */
export class WebRequest implements JwtRequest {
  private readonly raw: Request;
  private readonly limit: number;

  constructor(raw: Request, limit: number) {
    this.raw = raw;
    this.limit = limit;
  }

  /** For adapters whose framework tells the address of the connection. */
  get address(): string | undefined {
    return undefined;
  }

  /** For adapters whose framework reads bodies and keeps them, as bytes or `FormData`. */
  protected kept(): Promise<unknown> | undefined {
    return undefined;
  }

  get method(): string {
    return this.raw.method;
  }

  get url(): string {
    const { url } = this.raw;
    const start = url.indexOf("/", url.indexOf("://") + 3);
    const end = url.indexOf("#");
    return start < 0 ? "/" : url.slice(start, end < 0 ? undefined : end);
  }

  header(name: string): readonly string[] {
    // The Web joins repeated lines with a comma, by which they stay recognizable.
    const value = this.raw.headers.get(name);
    return value === null ? [] : [value];
  }

  body(): Promise<ReadBody> {
    let read = reads.get(this.raw);
    if (read === undefined) {
      read = readBody(this.raw, this.limit, () => this.kept());
      reads.set(this.raw, read);
    }
    return read;
  }
}

/**
 * Tells an answer what it varies by, without copying it, which takes longer than all else that a guard does. False, and nothing
 * done, where there is more to say: another request may be given the same `Response`, and must not see what belongs to this one.
 */
export function vary(response: Response, headers: JwtReply["headers"]): boolean {
  if (headers.some(([name]) => name !== "vary")) return false;
  try {
    for (const [name, value] of headers) {
      const told = response.headers.get(name)?.split(/\s*,\s*/) ?? [];
      if (!told.some((each) => each.toLowerCase() === value.toLowerCase())) response.headers.append(name, value);
    }
    return true;
  } catch {
    // Those of `Response.redirect` and `fetch` cannot be changed.
    return false;
  }
}

/** Several guards of one request share what was read. */
const reads = new WeakMap<Request, Promise<ReadBody>>();

async function readBody(
  request: Request,
  limit: number,
  keptBody: () => Promise<unknown> | undefined,
): Promise<ReadBody> {
  const type = request.headers.get("content-type") ?? undefined;
  const kind = bodyKind(type);
  if (kind === undefined) return noBody("type");
  try {
    const kept = keptBody();
    if (kept !== undefined) {
      const value = await kept;
      return value instanceof FormData ? parsedBody(type, value) : await parse(type, value as Uint8Array);
    }
    if (request.bodyUsed || request.body?.locked) return noBody("consumed");
    if (Number(request.headers.get("content-length") ?? 0) > limit) return noBody("too_large");
    // The clone leaves the body to the handler.
    const stream = request.body === null ? null : request.clone().body;
    if (stream === null) return noBody("absent");
    const bytes = await collect(stream, limit);
    return bytes === undefined ? noBody("too_large") : await parse(type, bytes);
  } catch {
    return noBody("unparsable");
  }
}

async function parse(type: string | undefined, bytes: Uint8Array): Promise<ReadBody> {
  if (bodyKind(type) !== "multipart") return parseBody(type, bytes);
  const headers = { "content-type": type ?? "" };
  return parsedBody(type, await new Response(bytes as Uint8Array<ArrayBuffer>, { headers }).formData());
}

async function collect(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > limit) {
      // Not awaited: a cancelled clone settles only when its other half is read or cancelled, too.
      reader.cancel().catch(() => {});
      return undefined;
    }
    chunks.push(value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
