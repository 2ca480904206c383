import type {
  Anonymous,
  AnyClaims,
  AuthContext,
  GuardOptions,
  JWTManager,
  MaybePromise,
  Route,
  TokenPair,
} from "jwt-extended";

/** A manager of any types: the tests of features run with many. */
// biome-ignore lint/suspicious/noExplicitAny: the harness takes managers of every type
export type AnyManager = JWTManager<any, any, any>;

export const ADAPTERS = ["express", "fastify", "hono", "koa", "node", "web"] as const;
export type AdapterName = (typeof ADAPTERS)[number];

/** One route of a small application, written once and mounted natively by every framework. */
export interface TestRoute {
  /** Upper case; a route for GET serves HEAD, too. */
  readonly methods: readonly string[];
  readonly path: string;
  /** The framework's own `jwtRequired(guard)` stands in front; absent: no guard. */
  readonly guard?: GuardOptions<never, never> | undefined;
  readonly handler: (tools: TestTools) => MaybePromise<TestAnswer>;
}

/** A JSON answer with status 200 unless said otherwise. */
export interface TestAnswer {
  readonly status?: number;
  readonly json: unknown;
}

export interface CookieSettings {
  readonly maxAge?: number | undefined;
  readonly domain?: string | undefined;
}

/** What a handler can do, all of it through the framework's own face. */
export interface TestTools {
  readonly method: string;
  readonly query: URLSearchParams;
  /** The native request object, as the accessors take it. */
  readonly request: object;
  /** The parsed JSON body as the framework gives it after the guard ran. */
  body(): Promise<unknown>;
  getAuth(): AuthContext<unknown, AnyClaims>;
  tryGetAuth(): AuthContext<unknown, AnyClaims> | Anonymous;
  verifyRequest(options?: GuardOptions<never, never>): Promise<AuthContext<unknown, AnyClaims> | Anonymous>;
  verifyDpopProof(): Promise<string | undefined>;
  setAccessCookies(token: string, settings?: CookieSettings): Promise<void>;
  setRefreshCookies(token: string, settings?: CookieSettings): Promise<void>;
  unsetAccessCookies(settings?: CookieSettings): Promise<void>;
  unsetRefreshCookies(settings?: CookieSettings): Promise<void>;
  unsetJwtCookies(settings?: CookieSettings): Promise<void>;
  /** Answers with `sendTokens`; the handler returns what this gives. */
  sendTokens(tokens: TokenPair, options?: { via?: "cookies" | "body"; status?: number }): Promise<TestAnswer>;
}

export interface HarnessOptions {
  /** `protect(…)` in front of the whole application. */
  readonly protect?: { readonly public?: readonly string[]; readonly [option: string]: unknown } | undefined;
  /** Mount the routes under this prefix in a nested router (sub-app, plugin). Default: none. */
  readonly prefix?: string | undefined;
  /** Install the framework's usual body parsers in front of the guards, as applications do. Default true. */
  readonly parsers?: boolean | undefined;
  /** Ready routes, mounted beside the others by the adapter's `mount` under this prefix. */
  readonly ready?: { readonly routes: readonly Route[]; readonly prefix?: string } | undefined;
}

export interface TestServer {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves routes on loopback. Errors thrown by handlers go through the adapter's `errorHandler`; anything else that is
 * unhandled is answered with 500 and `{"error":"internal"}`; unknown paths with 404.
 */
export interface Harness {
  readonly name: AdapterName;
  start(manager: AnyManager, routes: readonly TestRoute[], options?: HarnessOptions): Promise<TestServer>;
}
