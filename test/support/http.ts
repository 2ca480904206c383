import { type Agent, request as open } from "node:http";
import { connect } from "node:net";

/** What is sent, byte for byte: no cookie jar, no redirects, no header of its own but `Host`, `Connection` and the length of a body. */
export interface SendOptions {
  readonly method?: string | undefined;
  readonly path?: string | undefined;
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly body?: Uint8Array | string | undefined;
  /** Keeps connections for more requests. Without one each has its own. */
  readonly agent?: Agent | undefined;
}

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  /** All header lines, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly setCookies: readonly string[];
  readonly text: string;
  /** All values of a header, whatever its letter case. */
  header(name: string): readonly string[];
  json(): unknown;
}

function answerOf(status: number, headers: Answer["headers"], text: string): Answer {
  const header = (name: string): string[] =>
    headers.filter(([found]) => found.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  return { status, headers, setCookies: header("set-cookie"), text, header, json: () => JSON.parse(text) };
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i): [string, string][] => (i % 2 ? [] : [[name, raw[i + 1] ?? ""]]));
}

/** Sends one request to the server at `url` and gives its answer. */
export function send(url: string, options: SendOptions = {}): Promise<Answer> {
  const { hostname, port, host } = new URL(url);
  const body = options.body === undefined ? undefined : Buffer.from(options.body as string);
  const given = options.headers ?? [];
  const has = (name: string): boolean => given.some(([found]) => found.toLowerCase() === name);
  const headers = [
    ...(has("host") ? [] : ["Host", host]),
    ...given.flat(),
    ...(body && !has("content-length") && !has("transfer-encoding") ? ["Content-Length", String(body.length)] : []),
  ];
  return new Promise((resolve, reject) => {
    const path = options.path ?? "/";
    const outgoing = open(
      { hostname, port, path, method: options.method ?? "GET", headers, agent: options.agent ?? false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        incoming.on("end", () =>
          resolve(answerOf(incoming.statusCode ?? 0, pairs(incoming.rawHeaders), Buffer.concat(chunks).toString())),
        );
      },
    );
    // A server may refuse a large body before all of it is written: what counts is the answer.
    outgoing.on("error", reject).end(body);
  });
}

/** Writes bytes on a bare connection and gives all that comes back until the server closes it (or `ms` have passed). Several pieces are written with a pause between them. */
export function sendRaw(url: string, bytes: string | readonly string[], ms = 2000): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => {
      [bytes].flat().forEach((piece, i) => {
        setTimeout(() => socket.write(piece), i * 40);
      });
    });
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(end, ms);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("close", end).on("error", end);
  });
}
