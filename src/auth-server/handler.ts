import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { encodeReply } from "../adapters/face.ts";
import { routeFinder } from "../adapters/mount.ts";
import { appendNode, sendNode } from "../adapters/node-request.ts";
import { randomId } from "../crypto/random.ts";
import type { JwtReply, Route } from "../http/types.ts";
import type { Log } from "./log.ts";

/** One address of the server. */
export interface Row {
  readonly method: Route["method"];
  readonly path: string;
  /** Answers. What it throws is no answer, but a fault of ours. */
  run(req: IncomingMessage, res: ServerResponse): Promise<unknown>;
}

/** What is known of the request that is going on, for the log. */
export interface Scene {
  readonly id: string;
  /** Whom its token or its login speaks for. */
  subject?: string | undefined;
}

/** The requests that are going on. */
export const scenes: AsyncLocalStorage<Scene> = new AsyncLocalStorage();

/** What a handler needs beside its rows. */
export interface HandlerOptions {
  /** What every answer carries. */
  readonly headers: JwtReply["headers"];
  /** Bodies above this many bytes are refused unread. */
  readonly maxBodyBytes: number;
  /** The member of refusals that holds the sentence. */
  readonly messageKey: string;
  readonly log: Log;
}

/** Milliseconds in which the rest of a body that is too large is thrown away. */
const LINGER = 2_000;
const METHODS = ["GET", "POST", "DELETE"] as const;

/** What answers all requests. */
export interface Handler {
  readonly listener: RequestListener;
  /** Waits for the work that is under way, also for clients that have gone. */
  idle(): Promise<unknown>;
}

/** Finds the row of each request, answers what has none, and writes a line for each answer. */
export function createHandler(rows: readonly Row[], options: HandlerOptions): Handler {
  const { headers, maxBodyBytes, messageKey, log } = options;
  const find = routeFinder(rows);
  const refusal = (status: number, code: string, message: string, more: JwtReply["headers"] = []): JwtReply => ({
    status,
    headers: more,
    body: { code, [messageKey]: message },
  });

  async function answer(row: Row | undefined, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (Number(req.headers["content-length"] ?? 0) > maxBodyBytes) {
      return answerUnread(req, res, refusal(413, "body_too_large", "The request body is too large"));
    }
    if (row) return void (await row.run(req, res));
    const url = req.url ?? "/";
    const allowed = METHODS.filter((method) => find(method, url)).map((name) => (name === "GET" ? "GET, HEAD" : name));
    if (allowed.length === 0) return sendNode(res, refusal(404, "not_found", "There is nothing here"));
    const allow = allowed.join(", ");
    sendNode(res, refusal(405, "method_not_allowed", `This address takes ${allow}`, [["allow", allow]]));
  }

  const running = new Set<Promise<void>>();
  const listener: RequestListener = (req, res) => {
    const scene: Scene = { id: randomId() };
    const begin = performance.now();
    const row = find(req.method ?? "GET", req.url ?? "/");
    res.on("close", () => scenes.run(scene, () => tell(log, scene, row, req, res, performance.now() - begin)));
    appendNode(res, headers);
    const answering = scenes.run(scene, () =>
      answer(row, req, res).catch((error: unknown) => {
        log.error({ err: error }, "a request failed");
        if (res.headersSent) res.destroy();
        else sendNode(res, refusal(500, "internal", "Something went wrong on our side"));
      }),
    );
    running.add(answering);
    void answering.then(() => running.delete(answering));
  };
  return { listener, idle: () => Promise.all(running) };
}

/** Answers while the body still comes: who is cut off in the middle of it would never read why. */
function answerUnread(req: IncomingMessage, res: ServerResponse, reply: JwtReply): void {
  const { headers, body } = encodeReply(reply);
  res.statusCode = reply.status;
  appendNode(res, [...headers, ["content-length", String(Buffer.byteLength(body as string))]]);
  res.write(body);
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, LINGER);
  req.on("end", end).on("close", end).resume();
}

/** The pattern of the address, never the address itself: ids, links and mistyped paths are nobody's business. */
function tell(
  log: Log,
  { subject }: Scene,
  row: Row | undefined,
  { method }: IncomingMessage,
  res: ServerResponse,
  ms: number,
): void {
  const route = row?.path ?? "unknown";
  const status = res.headersSent ? res.statusCode : 499;
  const level = status >= 500 ? "error" : route.startsWith("/health/") ? "debug" : "info";
  log[level]({ method, route, status, ms: Math.round(ms * 10) / 10, subject }, `${method} ${route} ${status}`);
}
