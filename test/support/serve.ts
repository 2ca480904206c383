import { JWTManager, memoryStore, type TokenStore } from "jwt-extended";
import type { AnyManager, Harness, HarnessOptions, TestRoute } from "./harness/types.ts";
import { type Answer, type SendOptions, send } from "./http.ts";

/** Long enough for HS256. */
export const SECRET = "a-secret-for-tests-of-at-least-32-bytes";

type MakeStore = (clock: () => number) => TokenStore;
let makeStore: MakeStore | undefined;

/** Gives managers that name no store one that is made so, instead of the memory store of their own. */
export function storeOfManagers(make: MakeStore | undefined): void {
  makeStore = make;
}

/** A store of the kind under test. `clock` in milliseconds. */
export const storeOver = (clock: () => number): TokenStore => makeStore?.(clock) ?? memoryStore({ clock });

/** A manager that says nothing at start. */
export function managerOf(options: Record<string, unknown> = {}): AnyManager {
  const { clock = Date.now, store, compat } = options as { clock?: () => number; store?: unknown; compat?: unknown };
  const given = makeStore && store === undefined && !compat ? { storeTimeout: 20, store: makeStore(clock) } : {};
  return new JWTManager({ secretKey: SECRET, warn: () => {}, ...given, ...options }) as AnyManager;
}

export const bearer = (token: string): readonly [string, string] => ["Authorization", `Bearer ${token}`];
export const JSON_TYPE: readonly [string, string] = ["Content-Type", "application/json"];

/** One server of a test, and how to ask it. */
export interface Client {
  readonly url: string;
  send(options: SendOptions): Promise<Answer>;
  get(path: string, ...headers: (readonly [string, string])[]): Promise<Answer>;
  postJson(path: string, text: string, ...headers: (readonly [string, string])[]): Promise<Answer>;
}

/** Serves routes while `use` runs. */
export async function serving(
  harness: Harness,
  manager: AnyManager,
  routes: readonly TestRoute[],
  options: HarnessOptions,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const server = await harness.start(manager, routes, options);
  try {
    await use({
      url: server.url,
      send: (wanted) => send(server.url, wanted),
      get: (path, ...headers) => send(server.url, { path, headers }),
      postJson: (path, body, ...headers) =>
        send(server.url, { method: "POST", path, body, headers: [JSON_TYPE, ...headers] }),
    });
  } finally {
    await server.close();
  }
}
