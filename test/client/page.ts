import { vi } from "vitest";
import type { FakeService } from "./service.ts";
import { ORIGIN } from "./service.ts";

interface Waiting {
  readonly work: () => unknown;
  readonly done: (result: unknown) => void;
}

/** Web Locks as the standard has them, as far as the client uses them: exclusive, in order, given up by a signal. */
export class Locks {
  /** How often somebody got the lock. */
  grants = 0;
  readonly #queues = new Map<string, Waiting[]>();

  request(name: string, { signal }: { signal?: AbortSignal }, work: () => unknown): Promise<unknown> {
    return new Promise((done, reject) => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, queue);
      const waiting = { work, done };
      signal?.addEventListener("abort", () => {
        const at = queue.indexOf(waiting);
        if (at > 0) reject(queue.splice(at, 1) && signal.reason);
      });
      if (queue.push(waiting) === 1) this.#next(queue);
    });
  }

  #next(queue: Waiting[]): void {
    const first = queue[0];
    if (first === undefined) return;
    this.grants++;
    const result = Promise.resolve().then(first.work);
    first.done(result);
    const end = (): void => {
      queue.shift();
      this.#next(queue);
    };
    result.then(end, end);
  }
}

const refuse = (): never => {
  throw new DOMException("The document is sandboxed", "SecurityError");
};

/** Makes this process a page, with the readable cookies of a service. `blocked`: one that may store nothing. */
export function openPage(
  service: FakeService,
  means: { blocked?: boolean; locks?: boolean; channel?: boolean } = {},
): Locks {
  const { blocked = false, locks: withLocks = true, channel = true } = means;
  const locks = new Locks();
  vi.stubGlobal("document", {
    get cookie() {
      return blocked ? refuse() : service.readable;
    },
  });
  vi.stubGlobal("location", { href: `${ORIGIN}/some/page`, origin: ORIGIN });
  const refusing = { request: async () => refuse() };
  vi.stubGlobal("navigator", withLocks ? { locks: blocked ? refusing : locks } : {});
  if (blocked) vi.stubGlobal("BroadcastChannel", refuse);
  else if (!channel) vi.stubGlobal("BroadcastChannel", undefined);
  return locks;
}

/** `localStorage`, as far as the client uses it. */
export function memoryStorage(): {
  readonly kept: Map<string, string>;
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
} {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => {
      kept.set(name, value);
    },
  };
}

/** Lets messages between tabs arrive. */
export const settled = (ms = 20): Promise<void> => new Promise((done) => setTimeout(done, ms));
