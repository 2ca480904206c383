import type { ServerResponse } from "node:http";
import { AccountError, raise } from "../errors.ts";

/** One stream of server-sent events. */
export interface Stream {
  /** Sends an event, its data as JSON. A client that does not read is cut off. */
  send(event: string, data: object): void;
  close(): void;
}

/** All streams that are open. */
export interface Streams {
  /**
   * Opens a stream over a response. `onEnd` runs once, whoever ends it; `onBeat` every 20 seconds.
   * @throws AccountError `too_busy` where a user, or all together, have too many
   */
  open(res: ServerResponse, subject: string, onEnd: () => void, onBeat?: () => void): Stream;
  /** Ends all of them, for good. */
  close(): void;
}

/** How many streams there may be. */
const LIMITS = { ofUser: 10, all: 1_000 };

/** Milliseconds between two signs of life: proxies close what is silent. */
const BEAT = 20_000;
/** Milliseconds that a client has to read what was sent before the end. */
const LINGER = 2_000;
/** Bytes that may wait for a client to read them. */
const MAX_WAITING = 256 * 1024;

/** Makes the streams of a server. */
export function createStreams(limits = LIMITS): Streams {
  const open = new Map<ServerResponse, { readonly subject: string; readonly stream: Stream }>();
  let isClosed = false;
  return {
    open(res, subject, onEnd, onBeat) {
      const own = [...open.values()].filter((one) => one.subject === subject).length;
      if (isClosed || open.size >= limits.all || own >= limits.ofUser) {
        const message = "Too many streams of events are open: close one, or try again later";
        return raise(new AccountError("too_busy", { message, retryAfter: 5 }));
      }
      const write = (text: string): void => {
        if (res.writableLength > MAX_WAITING) res.destroy();
        else if (open.has(res)) res.write(text);
      };
      const beat = setInterval(() => {
        write(":\n\n");
        onBeat?.();
      }, BEAT);
      const over = (): void => {
        clearInterval(beat);
        if (open.delete(res)) onEnd();
      };
      const stream: Stream = {
        send: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
        close() {
          over();
          res.end();
          // A client that does not read its last lines is not waited for.
          setTimeout(() => res.destroy(), LINGER).unref();
        },
      };
      open.set(res, { subject, stream });
      res.on("close", over);
      res.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
      });
      // `HEAD` asks for the headers alone.
      if (res.req.method === "HEAD") res.end();
      else res.write(":\n\n");
      return stream;
    },
    close() {
      isClosed = true;
      for (const { stream } of open.values()) stream.close();
    },
  };
}
