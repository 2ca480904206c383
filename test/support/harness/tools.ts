import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { GuardOptions, TokenPair } from "jwt-extended";
import type { CookieSettings, HarnessOptions, TestAnswer, TestServer, TestTools } from "./types.ts";

/** What a handler returns that has answered by `sendTokens`. */
export const SENT: TestAnswer = Object.freeze({ json: undefined });

/** The body of every error that nobody handles, and of every unknown path. */
export const INTERNAL = { error: "internal" };
export const NOT_FOUND = { error: "not_found" };

export const isJson = (type: string | undefined): boolean =>
  /^application\/([^\s/;]+\+)?json$/i.test((type ?? "").split(";")[0]?.trim() ?? "");

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A JSON parser that swallows errors: what cannot be parsed is `null`, nothing is `undefined`. */
export function lenientJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    return null;
  }
}

/** The face of any adapter, without its types. */
export interface AnyFace {
  getAuth(request: object): unknown;
  tryGetAuth(request: object): unknown;
  verifyRequest(request: object, options?: GuardOptions<never, never>): Promise<unknown>;
  verifyDpopProof(request: object): Promise<string | undefined>;
  setAccessCookies(response: object, token: string, settings?: CookieSettings): Promise<unknown>;
  setRefreshCookies(response: object, token: string, settings?: CookieSettings): Promise<unknown>;
  unsetAccessCookies(response: object, settings?: CookieSettings): Promise<unknown>;
  unsetRefreshCookies(response: object, settings?: CookieSettings): Promise<unknown>;
  unsetJwtCookies(response: object, settings?: CookieSettings): Promise<unknown>;
  sendTokens(response: object, tokens: TokenPair, options?: { via?: "cookies" | "body"; status?: number }): unknown;
}

/** What the frameworks differ in. */
export interface Native {
  readonly request: object;
  readonly response: object;
  readonly method: string;
  readonly url: string;
  body(): unknown;
  /** Takes what the cookie functions give, where that is a new response. */
  replaced?(response: object): void;
  /** Takes what `sendTokens` gives. */
  sent?(response: object): void;
}

export function testTools(anyFace: object, native: Native): TestTools {
  const face = anyFace as AnyFace;
  const { request, method, url } = native;
  const keep = async (made: Promise<unknown>): Promise<void> => {
    // Awaited in any case: setting cookies may fail.
    const response = (await made) as object;
    native.replaced?.(response);
  };
  const end = url.indexOf("?");
  return {
    method,
    request,
    query: new URLSearchParams(end < 0 ? "" : url.slice(end)),
    body: async () => await native.body(),
    getAuth: () => face.getAuth(request) as ReturnType<TestTools["getAuth"]>,
    tryGetAuth: () => face.tryGetAuth(request) as ReturnType<TestTools["tryGetAuth"]>,
    verifyRequest: (options) => face.verifyRequest(request, options) as ReturnType<TestTools["verifyRequest"]>,
    verifyDpopProof: () => face.verifyDpopProof(request),
    setAccessCookies: (token, settings) => keep(face.setAccessCookies(native.response, token, settings)),
    setRefreshCookies: (token, settings) => keep(face.setRefreshCookies(native.response, token, settings)),
    unsetAccessCookies: (settings) => keep(face.unsetAccessCookies(native.response, settings)),
    unsetRefreshCookies: (settings) => keep(face.unsetRefreshCookies(native.response, settings)),
    unsetJwtCookies: (settings) => keep(face.unsetJwtCookies(native.response, settings)),
    async sendTokens(tokens, options) {
      const sent = await face.sendTokens(native.response, tokens, options);
      native.sent?.(sent as object);
      return SENT;
    },
  };
}

/** The options of `protect` as the adapters take them. */
export const protection = (options: HarnessOptions): never => options.protect as never;

/** Listens on a free port of loopback. */
export function listen(server: Server): Promise<TestServer> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => resolve(serverOf(server)));
  });
}

/** A server that listens already. */
export function serverOf(server: Server): TestServer {
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
