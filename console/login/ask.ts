import { authFetch } from "./client.ts";

/** A refusal as the server words it. */
export interface Refusal {
  readonly code?: string;
  readonly msg?: string;
  readonly fields?: readonly string[];
}

/** What came back. */
export interface Answer<T = unknown> {
  readonly ok: boolean;
  /** 0: nothing came back. */
  readonly status: number;
  /** Milliseconds. */
  readonly ms: number;
  readonly body: T;
  /** Seconds to wait before asking again, or 0. */
  readonly wait: number;
}

/** Sends a request with the login, and gives the answer with its JSON. It never throws. */
export async function ask<T = unknown>(path: string, method = "GET", fields?: object): Promise<Answer<T>> {
  const start = performance.now();
  const json = fields && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) };
  const since = (): number => Math.round(performance.now() - start);
  try {
    const answer = await authFetch()(path, { method, ...json });
    const text = await answer.text();
    const body = text === "" ? undefined : JSON.parse(text);
    const wait = Number(answer.headers.get("retry-after")) || 0;
    return { ok: answer.ok, status: answer.status, ms: since(), body, wait };
  } catch {
    const body = { code: "no_answer", msg: "The server gives no answer" } as T;
    return { ok: false, status: 0, ms: since(), body, wait: 0 };
  }
}

/** The sentence for a person whom something was refused. */
export function refusalOf({ body, status, wait }: Answer): string {
  const { msg } = Object(body) as Refusal;
  return `${msg ?? `The server answered ${status}`}.${wait > 0 ? ` Try again in ${wait} s.` : ""}`.replace("..", ".");
}

/** The fields that a refusal is about. */
export const refusedFields = ({ ok, body }: Answer): readonly string[] =>
  ok ? [] : ((Object(body) as Refusal).fields ?? []);
