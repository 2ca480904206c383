import { authFetch } from "./client.ts";

/** One server-sent event. */
export interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

/** The server says something every 20 seconds. Who is silent for so long, in milliseconds, is gone. */
const SILENT_MS = 50_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => done(clearTimeout(timer)), { once: true });
  });

/**
 * Hears the events of an address, and connects again when the connection breaks, until the signal says stop or the server
 * refuses. `tell` hears whether it is open; what it does when it is not comes before the next attempt. `EventSource`
 * could send no token but a cookie, would not renew the login, and says nothing of a refusal.
 */
export async function follow(
  path: string,
  hear: (event: ServerEvent) => void,
  signal: AbortSignal,
  tell?: (isOpen: boolean) => unknown,
): Promise<void> {
  for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener("abort", stop);
    try {
      const answer = await authFetch()(path, { headers: { Accept: "text/event-stream" }, signal: over.signal });
      if (answer.status >= 400 && answer.status < 500) return;
      if (answer.ok && answer.body) {
        tell?.(true);
        wait = FIRST_WAIT_MS;
        await read(answer.body, hear, stop);
      }
    } catch {
      // The connection broke, or nobody listens any more.
    } finally {
      signal.removeEventListener("abort", stop);
      stop();
    }
    if (signal.aborted) return;
    await tell?.(false);
    if (signal.aborted) return;
    await pause(wait, signal);
  }
}

async function read(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  hear: (event: ServerEvent) => void,
  stop: () => void,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const timer = setTimeout(stop, SILENT_MS);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, name = "message"] = /^event: ?(.+)$/m.exec(block) ?? [];
      const [, data] = /^data: ?(.*)$/m.exec(block) ?? [];
      if (data !== undefined) hear({ name, data: JSON.parse(data) });
    }
  }
}
