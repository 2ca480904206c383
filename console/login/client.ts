import { type AuthFetch, type AuthFetchOptions, createAuthFetch } from "../../client/index.ts";
import { pageCookie } from "../../client/page-cookie.ts";

/** What the server says of itself at `/config.json`. */
export interface ServerSettings {
  readonly csrfCookies: { readonly access: string; readonly refresh: string };
  readonly csrfHeader: string;
  readonly registration: boolean;
}

export type Mode = "cookie" | "bearer";
type CallbackName = "onSignIn" | "onRefresh" | "onSignOut" | "onStepUp";
type Callbacks = { readonly [Name in CallbackName]: NonNullable<AuthFetchOptions[Name]> };

let clients: Readonly<Record<Mode, AuthFetch>>;
let mode: Mode = "cookie";
let names: ServerSettings["csrfCookies"];

const bare = (name: string): string => name.replace(/^__(Host|Secure)-/, "");

/** Makes the client of each mode. One is in use, and what the other hears from other tabs is none of its business. */
export function makeClients({ csrfCookies, csrfHeader }: ServerSettings, callbacks: Callbacks): void {
  names = { access: bare(csrfCookies.access), refresh: bare(csrfCookies.refresh) };
  const heard = (of: Mode): Callbacks => ({
    onSignIn: () => of === mode && callbacks.onSignIn(),
    onRefresh: () => of === mode && callbacks.onRefresh(),
    onSignOut: (reason) => of === mode && callbacks.onSignOut(reason),
    onStepUp: callbacks.onStepUp,
  });
  const urls = { refreshUrl: "/refresh", logoutUrl: "/logout", csrfHeader, csrfCookies: names };
  clients = {
    cookie: createAuthFetch({ ...urls, ...heard("cookie") }),
    bearer: createAuthFetch({
      ...urls,
      ...heard("bearer"),
      mode: "bearer",
      // The cookies of another tab's login would decide who this is.
      fetch: (input, init) => fetch(input, { ...init, credentials: "omit" }),
    }),
  };
}

/** The client in use. */
export const authFetch = (): AuthFetch => clients[mode];
export const currentMode = (): Mode => mode;
export function chooseMode(wanted: Mode): void {
  mode = wanted;
}

/** Whether the browser has a login, as far as a script may know. Who asks the server instead gets a 401, which browsers log as an error. */
export const hasCookieLogin = (): boolean => pageCookie(names.refresh) !== undefined;

/** Runs something while no other tab does, where the browser has locks. */
export const alone = <T>(name: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
  navigator.locks ? (navigator.locks.request(name, { ...(signal && { signal }) }, work) as Promise<T>) : work();
