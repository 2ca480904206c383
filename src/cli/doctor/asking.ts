/** What came back, with the moments of our clock in between which the server answered, in milliseconds. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly cookies: readonly string[];
  readonly text: string;
  readonly sent: number;
  readonly came: number;
}

/** What is sent. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Milliseconds. */
const TIME_LIMIT = 5_000;
const MOST_CHARACTERS = 1_000_000;

/** Asks an address; redirects are not followed. */
export type Ask = (path: string, asked?: Asked) => Promise<Reply>;

/** @param base what paths are relative to */
export const askAt =
  (base: URL): Ask =>
  async (path, { method = "GET", headers = {}, body } = {}) => {
    const sent = Date.now();
    const answer = await fetch(new URL(path, base), {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(TIME_LIMIT),
      ...(body === undefined ? {} : { body }),
    });
    const came = Date.now();
    // Of a stream of events, which never ends, only the head matters.
    const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    const text = isStream ? "" : await beginningOf(answer);
    return { status: answer.status, headers: answer.headers, cookies: answer.headers.getSetCookie(), text, sent, came };
  };

/** The body, as far as any answer that is judged here reaches. */
async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MOST_CHARACTERS) break;
  }
  return text;
}

/** Why nothing came back, in a word: the code of the network or of TLS. */
export function whyNot(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  if (name === "TimeoutError") return `no answer within ${TIME_LIMIT / 1000} s`;
  return cause?.code ?? "the answer is no HTTP";
}
