import { alone, currentMode } from "./client.ts";
import { check, followLogin } from "./login.ts";
import { follow } from "./stream.ts";

/**
 * Notices within a second that the session was ended elsewhere. One tab listens for all of them, since a browser has six
 * connections to a host; the client tells the others. With tokens in memory each tab is a login of its own.
 */
export function watchSession(): void {
  let watched: string | undefined;
  let over = new AbortController();
  followLogin(({ person }) => {
    if (person?.sessionId === watched) return;
    over.abort();
    watched = person?.sessionId;
    if (watched === undefined) return;
    over = new AbortController();
    const { signal } = over;
    // The server closes the stream when it has told the end of the session.
    const ended = (isOpen: boolean): unknown => !isOpen && check();
    const listen = (): Promise<void> => follow("/events", () => {}, signal, ended);
    const listening = currentMode() === "bearer" ? listen() : alone("console-events", listen, signal);
    listening.catch(() => {}); // nobody waits for the lock any more
  });
}
