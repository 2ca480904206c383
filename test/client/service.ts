/** How a call to the refresh route goes wrong: before or after the exchange, for ever, or with an answer of its own. */
export type Fault = "network" | "lost" | "hang" | "hang after" | Response;

/** One request as the service got it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly credentials: RequestCredentials;
  readonly redirect: RequestRedirect;
  readonly keepalive: boolean;
  readonly body: string;
}

export const ORIGIN = "https://app.example.com";

const json = (status: number, body: object, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
const refused = (status: number, code: string, challenge?: string): Response =>
  json(status, { code, msg: code }, challenge === undefined ? {} : { "www-authenticate": challenge });

interface Session {
  readonly name: string;
  gen: number;
  alive: boolean;
  fresh: boolean;
}

/**
 * A service of the shape of ours, for every branch of the client: tokens that live until `expire` is called, a refresh
 * token that works once and gives the same successor to whoever comes late, faults on demand. It keeps the cookies of
 * the one browser that asks it.
 */
export class FakeService {
  readonly seen: Seen[] = [];
  readonly jar = new Map<string, string>();
  /** What happens to the next calls of the refresh route, in order. */
  readonly faults: Fault[] = [];
  /** The answers to the next calls of the logout route. */
  readonly logouts: Response[] = [];
  readonly mode: "cookie" | "bearer";
  /** How long an answer takes, in milliseconds. */
  delay = 1;
  expiresIn: number | undefined = 900;
  /** Where pages get the CSRF values; `none`: they need none. */
  csrf: "cookies" | "body" | "none" = "cookies";
  #sessions = 0;
  #session: Session | undefined;
  #access: string | undefined;

  constructor(mode: "cookie" | "bearer") {
    this.mode = mode;
  }

  /** Calls of one route, or of all. */
  calls(path?: string): Seen[] {
    return this.seen.filter((one) => path === undefined || one.path === path);
  }

  get refreshes(): number {
    return this.calls("/auth/refresh").length;
  }

  /** Opens a session, and gives the answer of a login. */
  login(): object {
    this.#session = { name: `s${++this.#sessions}`, gen: 0, alive: true, fresh: true };
    return this.#mint();
  }

  /** The access token is over. `cookies: "stay"`: the browser still has them (`sessionCookie: true`). */
  expire(cookies: "go" | "stay" = "go"): void {
    this.#access = undefined;
    if (cookies === "go") for (const name of ["__Host-access_token", "__Host-csrf_access"]) this.jar.delete(name);
  }

  /** The session is over on the server; nobody knows. */
  revoke(): void {
    if (this.#session) this.#session.alive = false;
    this.#access = undefined;
  }

  /** What `document.cookie` shows. */
  get readable(): string {
    return [...this.jar]
      .filter(([name]) => name.includes("csrf"))
      .map(([name, value]) => `${name}=${value}`)
      .join("; ");
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const { pathname: path } = new URL(request.url);
    const { method, headers, credentials, redirect, keepalive } = request;
    const body = await request.text();
    const seen: Seen = { method, path, headers, credentials, redirect, keepalive, body };
    this.seen.push(seen);
    await new Promise((done) => setTimeout(done, this.delay));
    signal.throwIfAborted();
    return this.#answer(seen, signal);
  };

  async #answer(seen: Seen, signal: AbortSignal): Promise<Response> {
    if (seen.path === "/login") return json(200, this.login());
    if (seen.path === "/auth/logout") return this.logouts.shift() ?? this.#logout();
    if (seen.path === "/auth/refresh") {
      const fault = this.faults.shift();
      if (fault instanceof Response) return fault;
      if (fault === "network") throw new TypeError("fetch failed");
      if (fault === "hang") return forever(signal);
      const answer = this.#refresh(seen);
      if (fault === "lost") throw new TypeError("fetch failed");
      return fault === "hang after" ? forever(signal) : answer;
    }
    return this.#guarded(seen);
  }

  #guarded({ method, path, headers }: Seen): Response {
    const session = this.#session;
    const token = this.mode === "bearer" ? headers.get("authorization")?.slice(7) : this.jar.get("__Host-access_token");
    if (token === undefined) return refused(401, "token_missing", "Bearer");
    if (session && !session.alive) return refused(401, "token_revoked", 'Bearer error="invalid_token"');
    if (token !== this.#access) return refused(401, "token_expired", 'Bearer error="invalid_token"');
    if (
      this.mode === "cookie" &&
      this.csrf !== "none" &&
      method === "POST" &&
      headers.get("x-csrf-token") !== `ca-${session?.name}`
    ) {
      return refused(403, headers.has("x-csrf-token") ? "csrf_mismatch" : "csrf_missing");
    }
    if (path === "/fresh" && !session?.fresh) {
      return refused(401, "token_not_fresh", 'Bearer error="insufficient_user_authentication", max_age="300"');
    }
    if (path === "/scope") {
      return refused(403, "insufficient_scope", 'Bearer error="insufficient_scope", scope="write admin"');
    }
    return json(200, { session: session?.name });
  }

  #refresh({ headers }: Seen): Response {
    const session = this.#session;
    const bearer = this.mode === "bearer";
    const token = bearer ? headers.get("authorization")?.slice(7) : this.jar.get("__Host-refresh_token");
    if (token === undefined) return refused(401, "token_missing", "Bearer");
    if (!bearer && this.csrf !== "none" && headers.get("x-csrf-token") !== `cr-${session?.name}`)
      return refused(403, "csrf_mismatch");
    const [, name, gen] = /^r-(s\d+)-(\d+)$/.exec(token) ?? [];
    if (!session?.alive || name !== session.name) return refused(401, "session_ended", 'Bearer error="invalid_token"');
    if (Number(gen) < session.gen - 1) {
      session.alive = false;
      return refused(401, "token_reused", 'Bearer error="invalid_token"');
    }
    session.fresh = false;
    if (Number(gen) === session.gen) session.gen++;
    return json(200, this.#mint());
  }

  #logout(): Response {
    if (this.#session) this.#session.alive = false;
    this.jar.clear();
    return new Response(null, { status: 204 });
  }

  #mint(): object {
    const { name, gen } = this.#session as Session;
    this.#access = `a-${name}-${gen}-${Math.random()}`;
    const refresh = `r-${name}-${gen}`;
    const life = this.expiresIn === undefined ? {} : { expires_in: this.expiresIn };
    if (this.mode === "bearer") return { access_token: this.#access, refresh_token: refresh, ...life };
    this.jar.set("__Host-access_token", this.#access);
    this.jar.set("__Host-refresh_token", refresh);
    if (this.csrf === "none") return life;
    if (this.csrf === "body") return { ...life, csrf_access: `ca-${name}`, csrf_refresh: `cr-${name}` };
    this.jar.set("__Host-csrf_access", `ca-${name}`);
    this.jar.set("__Host-csrf_refresh", `cr-${name}`);
    return life;
  }
}

/** No answer, until the caller gives up. */
function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
