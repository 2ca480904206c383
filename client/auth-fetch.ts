import type { AuthFetch, AuthFetchOptions, LoginAnswer } from "./options.ts";
import { pageCookie } from "./page-cookie.ts";
import { alone, type News, openChannel, sleep } from "./tabs.ts";

/** What is known of the login. No clock but that of this device is asked, and it may be wrong: only differences count. */
interface State {
  /** Another one after every login, refresh and logout. */
  readonly id?: number;
  /** When the last answer came, in milliseconds. */
  readonly at?: number;
  /** For how long its token is good, in seconds. */
  readonly life?: number | undefined;
  /** The token; in cookie mode its CSRF value, where that does not come in a cookie. */
  readonly access?: string | undefined;
  readonly refresh?: string | undefined;
}

/** A refresh without an answer for so long is given up, and asked for again with the same token (docs/sessions.md). */
const GIVE_UP_MS = 4000;
const RETRIES = 2;

/** The JSON of an answer, which stays readable; nothing where it is none. */
async function bodyOf(answer: Response): Promise<LoginAnswer & { readonly code?: string }> {
  const text = await answer.clone().text();
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/**
 * A `fetch` that keeps a login alive: it adds the CSRF value or the token, refreshes once for all calls and all tabs,
 * sends waiting calls again, and tells every tab when the login is over.
 *
 * @example
 * const authFetch = createAuthFetch({ onSignOut: () => showLogin() });
 * const answer = await authFetch("/me");
 */
export function createAuthFetch(options: AuthFetchOptions = {}): AuthFetch {
  const { onStepUp, baseUrl, refreshUrl = "/auth/refresh" } = options;
  const send: typeof fetch = options.fetch ?? ((...args) => fetch(...args));
  const bearer = options.mode === "bearer";
  const names = bearer
    ? ({ access: "access_token", refresh: "refresh_token" } as const)
    : ({ access: "csrf_access", refresh: "csrf_refresh" } as const);
  const { csrfCookies = names } = options;
  const name = `jwt${baseUrl ?? ""}${refreshUrl}`.replace(/\W+/g, "-");
  const resolve = (to: string | URL): URL => new URL(to, baseUrl ?? globalThis.location?.href);

  let { storage } = options;
  let state: State = {};
  /** The login that the service has refused to renew. */
  let dead: unknown;
  let renewing: Promise<Response | undefined> | undefined;
  let asking: Promise<boolean> | undefined;
  let refusal: Response | undefined;
  let refusedUntil = 0;

  /** What proves a request: the token, or the CSRF value. */
  const proof = (kind: "access" | "refresh"): string | undefined =>
    (!bearer && csrfCookies && pageCookie(csrfCookies[kind])) || state[kind];
  const login = (): unknown => (csrfCookies ? proof("refresh") : (state.id ?? 1));
  const canRenew = (): boolean => !!login() && login() !== dead;

  const load = async (): Promise<void> => {
    try {
      state = JSON.parse((await storage?.getItem(name)) as string) ?? state;
    } catch {} // nothing is kept, or may be kept here
  };
  const loaded = load();
  const happened = ([what, reason]: News): void => {
    if (what === "onSignOut") dead = login();
    options[what]?.(reason);
  };
  const shared = globalThis.document && (!bearer || storage);
  const channel =
    shared &&
    openChannel(name, async (news) => {
      state = news[0] === "onRefresh" ? { ...state, ...news[2] } : news[2];
      await load();
      happened(news);
    });
  const once = <T>(work: () => Promise<T>): Promise<T> => (shared ? alone(name, work) : work());
  const keep = async (what: News[0], answer: LoginAnswer, reason?: string): Promise<undefined> => {
    const known = { id: Math.random(), at: Date.now(), life: answer.expires_in };
    const old = what === "onRefresh" ? state : {};
    state = { ...known, access: answer[names.access] ?? old.access, refresh: answer[names.refresh] ?? old.refresh };
    const news = [what, reason, known] as const;
    try {
      await storage?.setItem(name, JSON.stringify(state));
    } catch {
      storage = undefined; // what it holds is old from now on
    }
    channel?.postMessage(news);
    happened(news);
  };

  const prove = (kind: "access" | "refresh", init: RequestInit, request?: Request): RequestInit => {
    const headers = new Headers(init.headers ?? request?.headers);
    const changes = !/^(GET|HEAD|OPTIONS)$/i.test(init.method ?? request?.method ?? "GET");
    const value = proof(kind) ?? proof("access");
    if (value && bearer) headers.set("Authorization", `Bearer ${value}`);
    if (value && !bearer && changes) headers.set(options.csrfHeader ?? "X-CSRF-TOKEN", value);
    return {
      ...(!bearer && { credentials: "include" }),
      // The value would go along to wherever a redirect leads.
      ...(changes && { redirect: "error" }),
      ...init,
      headers,
    };
  };

  /** Asks until there is an answer that says something. `keepalive`: it may set cookies after the page was left. */
  const insist = async (to: string): Promise<Response> => {
    for (let left = RETRIES; ; left--) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), GIVE_UP_MS);
      let wait = 0;
      try {
        const init = prove("refresh", { method: "POST", keepalive: true, signal: abort.signal });
        const answer = await send(resolve(to).href, init);
        await bodyOf(answer);
        if (answer.status < 429) return answer;
        wait = Number(answer.headers.get("retry-after")) * 1000 || 1000;
        if (!left || wait > GIVE_UP_MS) {
          refusal = answer;
          refusedUntil = performance.now() + wait;
          return answer;
        }
      } catch (error) {
        // Not the `AbortError` of somebody who changed their mind.
        if (!left) throw abort.signal.aborted ? new TypeError("Timeout") : error;
      } finally {
        clearTimeout(timer);
      }
      await sleep(wait);
    }
  };

  /** Renews the login that a call was `seen` to go with. Gives the refusal, or nothing where there is another one now. */
  const renew = (seen: number | undefined): Promise<Response | undefined> => {
    renewing ??= once(async () => {
      await load();
      if (state.id !== seen) return undefined; // another tab did it
      if (performance.now() < refusedUntil) return refusal;
      const answer = await insist(refreshUrl);
      const body = await bodyOf(answer);
      if (state.id !== seen) return undefined; // the answer is of the login before this one
      if (answer.ok) return keep("onRefresh", body);
      if (answer.status === 401) await keep("onSignOut", {}, body.code);
      return answer;
    }).finally(() => {
      renewing = undefined;
    });
    return renewing;
  };

  const call = async (input: RequestInfo | URL, init: RequestInit & { duplex?: string } = {}): Promise<Response> => {
    const request = (input as Request).url ? (input as Request) : undefined;
    const url = resolve(request ? request.url : (input as string | URL));
    const signal = init.signal ?? request?.signal;
    if (url.origin !== resolve("").origin || signal?.aborted) return send(request ?? url.href, init);
    await loaded;
    /** An aborted call waits for nothing more: `fetch` will refuse it, with the right error. */
    const unlessAborted = <T>(work: Promise<T>): Promise<T | undefined> =>
      Promise.race([work, new Promise<undefined>((done) => signal?.addEventListener("abort", () => done(undefined)))]);

    let renewal: Promise<Response | undefined> | undefined;
    const life = (state.life as number) * 1000;
    const rest = csrfCookies && !proof("access") ? 0 : (state.at as number) + life - Date.now();
    if (canRenew() && rest < (life / 10 || 1)) {
      renewal = renew(state.id);
      await unlessAborted(renewal.catch(() => undefined));
    }
    for (let again = false, asked = false; ; ) {
      const seen = state.id;
      const answer = await send(request ? request.clone() : url.href, prove("access", init, request));
      // A stream (it needs `duplex`) can be sent once only.
      if (answer.ok || init.duplex) return answer;
      const { code = "" } = await bodyOf(answer);
      if (/^token_(missing|expired|revoked)$/.test(code)) {
        if (again || (!renewal && !canRenew())) return answer;
        again = true;
        if (state.id === seen) {
          renewal ??= renew(seen);
          const refused = await unlessAborted(renewal);
          if (refused) return refused.status === 401 ? answer : refused.clone();
        }
      } else if (onStepUp && !asked && /_(fresh|scope)$/.test(code)) {
        const wanted: Record<string, string> = {};
        answer.headers.get("www-authenticate")?.replace(/(\w+)="([^"]*)/g, (_, key, text) => (wanted[key] = text));
        // One question at a time: who waited for the answer to another one may ask as well, afterwards.
        asked = !asking;
        asking ??= Promise.resolve(onStepUp({ ...wanted, code })).finally(() => {
          asking = undefined;
        });
        if ((await unlessAborted(asking)) === false) return answer;
      } else return answer;
    }
  };

  return Object.assign(call, {
    signedIn: async (answer: LoginAnswer) => {
      await loaded;
      await keep("onSignIn", answer);
    },
    refresh: async () => {
      await loaded;
      return canRenew() && !(await renew(state.id)) && canRenew();
    },
    logout: async () => {
      await loaded;
      return once(async () => {
        const answer = await insist(options.logoutUrl ?? "/auth/logout");
        if (answer.ok || answer.status === 401) await keep("onSignOut", {}, "logout");
        return answer;
      });
    },
  });
}
