/** Who and what an event is about. No token, secret or password ever stands in one. */
export interface EventSubject {
  readonly subject: string | undefined;
  readonly sessionId: string | undefined;
}

/** Where a refresh came from: the client's own words, and a keyed hash of its address. */
export interface EventClient {
  readonly userAgent: string | undefined;
  readonly address: string | undefined;
}

/** Everything a manager tells, by name. */
export interface JwtEvents {
  /** A login opened a session. */
  issued: EventSubject & EventClient;
  /** A refresh token was exchanged. */
  refreshed: EventSubject & EventClient;
  /** A refresh token came again inside the grace window, and got the same successor. */
  raced: EventSubject & EventClient & { readonly before: EventClient };
  /** A race by another client than the one that refreshed before: honest clients do not change in seconds. */
  suspicious: EventSubject & EventClient & { readonly before: EventClient };
  /** A refresh token that was spent came again: theft. The session is over. */
  reused: EventSubject & EventClient;
  /** A token, session or subject was revoked by the application. */
  revoked: EventSubject & { readonly grain: "token" | "session" | "subject" | "everything" };
  /** A request was refused, with the code of the refusal. */
  denied: EventSubject & { readonly code: string };
  /** The store stopped answering, and why. Told once, until it is back. */
  storeDown: { readonly detail: string | undefined };
  /** The store answers again. */
  storeBack: Record<never, never>;
  /** The store had forgotten everything: everybody has to log in again. */
  storeForgot: Record<never, never>;
  /** The copy of the store's revocations in this process can no longer be relied on, and why: the store is asked instead. */
  replicaBehind: { readonly detail: string | undefined };
  /** The copy of the store's revocations can be relied on. */
  replicaFresh: Record<never, never>;
  /** A call of the store came to an end, and whether it was answered; told for calls that had to wait. */
  storeCalled: { readonly call: string; readonly milliseconds: number; readonly ok: boolean };
  /** The store had lost its last writes, and a refresh token has healed a session. */
  storeRewound: EventSubject;
}

/** The name of an event. */
export type JwtEventName = keyof JwtEvents;

/** Hears one kind of event. It runs while a request waits, so it should be quick. */
export type JwtListener<Name extends JwtEventName> = (event: JwtEvents[Name]) => void;

/** Hands events to their listeners. */
export interface Emitter {
  /** Adds a listener, and gives the function that takes it away again. */
  on<Name extends JwtEventName>(name: Name, listener: JwtListener<Name>): () => void;
  emit<Name extends JwtEventName>(name: Name, event: JwtEvents[Name]): void;
}

/** Makes an emitter. What a listener throws goes to `report`: it must not decide about a request. */
export function createEmitter(report: (message: string) => void): Emitter {
  const listeners = new Map<JwtEventName, Set<JwtListener<never>>>();
  return {
    on(name, listener) {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known.add(listener as JwtListener<never>));
      return () => known.delete(listener as JwtListener<never>);
    },
    emit(name, event) {
      for (const listener of listeners.get(name) ?? []) {
        try {
          listener(event as never);
        } catch {
          report(`a listener of the event "${name}" threw.`);
        }
      }
    },
  };
}
