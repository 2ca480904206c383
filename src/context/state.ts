import { AsyncLocalStorage } from "node:async_hooks";
import type { Anonymous, AuthContext } from "../types.ts";

/** Any outcome of a guard, whatever its types. */
export type AnyAuth = AuthContext<unknown, object> | Anonymous;

/** What the guards of one request left behind, the innermost first. */
export interface RequestState {
  readonly owner: object;
  readonly auth: AnyAuth;
  readonly outer: RequestState | undefined;
}

const states = new WeakMap<object, RequestState>();
const ambient = new AsyncLocalStorage<RequestState | undefined>();

/** Keeps what a guard of `owner` let through for a request; the newest guard is the innermost. */
export function remember(request: object, owner: object, auth: AnyAuth): void {
  states.set(request, { owner, auth, outer: states.get(request) });
}

/** What the innermost guard of `owner` let through. */
export function recall(request: object, owner: object): AnyAuth | undefined {
  for (let state = states.get(request); state; state = state.outer) if (state.owner === owner) return state.auth;
  return undefined;
}

/** The state of the innermost guard of any manager. */
export function innermost(request: object): RequestState | undefined {
  return states.get(request);
}

/** Runs `next` so that `ambientState` gives this state to everything it calls, also after awaits. */
export function runAmbient<T>(state: RequestState | undefined, next: () => T): T {
  return ambient.run(state, next);
}

/** The state of the request that is being served, where a guard with `ambientContext` runs. */
export function ambientState(): RequestState | undefined {
  return ambient.getStore();
}
