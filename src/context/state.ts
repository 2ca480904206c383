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

class Given {
  constructor(request: object) {
    // biome-ignore lint/correctness/noConstructorReturn: by this a subclass adds its private field to an object of others
    return request;
  }
}

/** For requests that are frozen, to which later engines add no private field, and for those of `reshaped`. */
const apart = new WeakMap<object, RequestState>();

/** A private field on the request, seen by nobody else, for a fifth of what a `WeakMap` costs. */
class Noted extends Given {
  #state: RequestState;

  private constructor(request: object, state: RequestState) {
    super(request);
    this.#state = state;
  }

  static read(request: object): RequestState | undefined {
    if (typeof request !== "object" || request === null) return undefined;
    return #state in request ? request.#state : apart.get(request);
  }

  static write(request: object, state: RequestState, reshaped: boolean): void {
    if (#state in request) request.#state = state;
    else if (!reshaped && Object.isExtensible(request)) new Noted(request, state);
    else apart.set(request, state);
  }
}

const ambient = new AsyncLocalStorage<RequestState | undefined>();

/**
 * Keeps what a guard of `owner` let through for a request; the newest guard is the innermost. Of a request that is `reshaped`, as
 * Express does by changing its prototype, a private field costs more than a `WeakMap`: see `internal/shapeless.ts`.
 */
export function remember(request: object, owner: object, auth: AnyAuth, reshaped: boolean): void {
  Noted.write(request, { owner, auth, outer: Noted.read(request) }, reshaped);
}

/** What the innermost guard of `owner` let through. */
export function recall(request: object, owner: object): AnyAuth | undefined {
  for (let state = Noted.read(request); state; state = state.outer) if (state.owner === owner) return state.auth;
  return undefined;
}

/** The state of the innermost guard of any manager. */
export function innermost(request: object): RequestState | undefined {
  return Noted.read(request);
}

/** Runs `next` so that `ambientState` gives this state to everything it calls, also after awaits. */
export function runAmbient<T>(state: RequestState | undefined, next: () => T): T {
  return ambient.run(state, next);
}

/** The state of the request that is being served, where a guard with `ambientContext` runs. */
export function ambientState(): RequestState | undefined {
  return ambient.getStore();
}
