/** What a login or a refresh answers, as `sendTokens` and the ready routes give it; further members do no harm. */
export interface LoginAnswer {
  /** Bearer mode only. */
  readonly access_token?: string | undefined;
  /** Bearer mode only. */
  readonly refresh_token?: string | undefined;
  /** Seconds. */
  readonly expires_in?: number | undefined;
  /** Cookie mode with `csrfInCookies: false`. */
  readonly csrf_access?: string | undefined;
  readonly csrf_refresh?: string | undefined;
}

/** A route wants more than the login has (RFC 9470 §3, RFC 6750 §3.1). */
export interface StepUp {
  /** `token_not_fresh`: ask for the password again. `insufficient_scope`: get a login with more scope. */
  readonly code: string;
  /** How old the login may be, in seconds; `"0"`: it must come straight from a login. */
  readonly max_age?: string;
  /** The scopes that are asked for, with blanks between. */
  readonly scope?: string;
}

/** `localStorage`, `AsyncStorage`, or whatever keeps text under a name. */
export interface ClientStorage {
  getItem(name: string): string | null | undefined | Promise<string | null | undefined>;
  setItem(name: string, value: string): unknown;
}

type Fetch = typeof fetch;

/** Settings of `createAuthFetch`. */
export interface AuthFetchOptions {
  /**
   * `"cookie"`: the tokens are in cookies that no script sees, and requests carry the CSRF value.
   * `"bearer"`: the tokens are in memory, and requests carry them as `Authorization`.
   * @default "cookie"
   */
  readonly mode?: "cookie" | "bearer" | undefined;
  /**
   * Where the service is, such as `https://api.example.com`; relative addresses begin here. Requests to any other
   * origin are sent as they are. @default the address of the page
   */
  readonly baseUrl?: string | undefined;
  /** @default "/auth/refresh" */
  readonly refreshUrl?: string | undefined;
  /** @default "/auth/logout" */
  readonly logoutUrl?: string | undefined;
  /** @default "X-CSRF-TOKEN" */
  readonly csrfHeader?: string | undefined;
  /**
   * Names of the cookies with the CSRF values, without `__Host-` or `__Secure-`. `false`: the service has no such values
   * (`csrfMode: "fetch-metadata"`). @default { access: "csrf_access", refresh: "csrf_refresh" }
   */
  readonly csrfCookies?: false | { readonly access: string; readonly refresh: string } | undefined;
  /**
   * Where a login is kept while the page or app is closed. In bearer mode it holds the tokens: use the key store of a
   * phone, not the `localStorage` of a page. In cookie mode it holds no token. @default memory
   */
  readonly storage?: ClientStorage | undefined;
  /** The service wants a fresher login, or more scope. `true`: it is there now, send the request again. @default refused */
  readonly onStepUp?: ((wanted: StepUp) => boolean | Promise<boolean>) | undefined;
  /** Somebody signed in, in this tab or another; in another it may be somebody else. */
  readonly onSignIn?: (() => void) | undefined;
  /** The login was renewed, in this tab or another. */
  readonly onRefresh?: (() => void) | undefined;
  /** The login is over, in this tab or another: `"logout"`, or the code by which the refresh was refused. */
  readonly onSignOut?: ((reason: string | undefined) => void) | undefined;
  /** @default the global one */
  readonly fetch?: Fetch | undefined;
}

/** `fetch` with a login. */
export interface AuthFetch {
  /**
   * Sends a request as `fetch` does, with the token or CSRF value. It renews the login when it is about to end, and
   * sends the request once more after a 401 that a refresh mends, or after a step-up.
   * @throws what `fetch` throws; also where the refresh gets no answer
   */
  (...args: Parameters<Fetch>): ReturnType<Fetch>;
  /** Give it the JSON of a login: other tabs hear of it, and the life of the token is known. */
  signedIn(answer: LoginAnswer): Promise<void>;
  /** Renews now, for example after a change of roles. Gives whether the login is alive. */
  refresh(): Promise<boolean>;
  /** Ends the login on the server, and then in every tab. Where the answer is neither 2xx nor 401, the login goes on. */
  logout(): ReturnType<Fetch>;
}
