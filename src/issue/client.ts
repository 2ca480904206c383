import type { EventClient } from "../events.ts";
import type { StoreCalls } from "../sessions/store-calls.ts";

/** Who logs in or refreshes, as the request tells. Both are for lists of sessions and for events. */
export interface ClientInfo {
  /** The header `User-Agent`; cut to 256 characters. */
  readonly userAgent?: string | undefined;
  /** The address of the client, as your trusted proxy gives it; only a keyed hash of it is kept. */
  readonly address?: string | undefined;
}

const MAX_USER_AGENT = 256;

/** Nobody in particular. */
export const UNKNOWN_CLIENT: EventClient = Object.freeze({ userAgent: undefined, address: undefined });

/** What is kept of a client. */
export async function clientOf(client: ClientInfo | undefined, store: StoreCalls): Promise<EventClient> {
  if (!client) return UNKNOWN_CLIENT;
  const { userAgent, address } = client;
  return {
    userAgent: userAgent?.slice(0, MAX_USER_AGENT),
    address: address === undefined ? undefined : await store.hashAddress(address),
  };
}
