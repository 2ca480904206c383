import { InvalidRequestError, InvalidTokenError, isRefusal, JwtError, raise, UsageError } from "../errors.ts";
import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import { refusedOrigin } from "../locations/csrf.ts";
import type { ClientInfo, Guard, JWTManager } from "../manager.ts";
import type { AnyClaims, AuthContext, JwtLocation } from "../types.ts";

/** A manager of any types: routes look at sessions, not at users. */
// biome-ignore lint/suspicious/noExplicitAny: the types of users and claims do not matter here
export type AnyManager = JWTManager<any, any, any>;

/** Settings of the ready routes. */
export interface RouteOptions {
  /** The address of a client, from whatever proxy you trust; a keyed hash of it is kept. @default none */
  readonly address?: ((request: JwtRequest) => string | undefined) | undefined;
}

/** Where ready routes look for a token: the configured places but addresses, and JSON, which only an application sends. */
export function routePlaces({ config }: AnyManager): readonly JwtLocation[] {
  const places = config.locations.filter((place) => place !== "query_string");
  return places.includes("json") ? places : [...places, "json"];
}

/** Who makes a request. */
export function clientInfo(request: JwtRequest, options: RouteOptions): ClientInfo {
  return { userAgent: request.header("user-agent")[0], address: options.address?.(request) };
}

/**
 * Routes that make or end a login by cookie ask where the request comes from, also when no token came, and take no body
 * that a form of another site could send.
 */
export function assertOwnPage(request: JwtRequest, { config }: AnyManager): void {
  if (!config.locations.includes("cookies") || !config.csrf.protect) return;
  const refused = refusedOrigin(request, config);
  if (refused) raise(refused);
  const [type] = request.header("content-type");
  if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type.trim())) {
    const message = "This route takes application/json, or no body at all";
    raise(new InvalidRequestError("unsupported_media_type", { message }));
  }
}

/** A route whose refusals become answers. */
export function route(
  method: Route["method"],
  path: string,
  manager: AnyManager,
  handle: (request: JwtRequest) => Promise<JwtReply>,
): Route {
  return {
    method,
    path,
    async handle(request) {
      try {
        return await handle(request);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return manager.replyTo(error, request);
      }
    },
  };
}

/** A route behind a guard, which answers to whoever is not let in. Whatever changes something must come from a page of our own. */
export function guardedRoute(
  method: Route["method"],
  path: string,
  manager: AnyManager,
  guard: Guard<unknown, AnyClaims>,
  handle: (auth: AuthContext<unknown>, request: JwtRequest) => Promise<JwtReply>,
): Route {
  return route(method, path, manager, async (request) => {
    if (method !== "GET") assertOwnPage(request, manager);
    const outcome = await guard.check(request);
    if (!outcome.ok) return outcome.reply;
    const { auth } = outcome;
    return !auth || auth.claims === null ? raise(new UsageError("no_auth_context")) : handle(auth, request);
  });
}

/**
 * The token to go by, of several cookies of one name: the one whose session lives. Two that live are never chosen
 * between; where none does, the first says why.
 * @throws InvalidTokenError `ambiguous_cookies`
 */
export async function liveToken(
  tokens: readonly unknown[],
  manager: AnyManager,
  options: { readonly allowExpired?: boolean } = {},
): Promise<unknown> {
  if (tokens.length < 2) return tokens[0];
  const live: { readonly token: unknown; readonly sid: string; readonly gen: number }[] = [];
  for (const token of tokens) {
    const claims = await manager.decodeToken(token as string, options).catch(() => undefined);
    const sid = claims?.sid;
    if (sid !== undefined && (await manager.getSession(sid))) live.push({ token, sid, gen: claims?.gen ?? 0 });
  }
  const [first] = live;
  if (live.some(({ sid }) => sid !== first?.sid)) return raise(new InvalidTokenError("ambiguous_cookies"));
  return live.sort((one, other) => other.gen - one.gen)[0]?.token ?? tokens[0];
}

/** The answer where a session that is to be ended is none, or somebody else's. */
export function unknownSession({ config }: AnyManager): JwtReply {
  return {
    status: 404,
    headers: [],
    body: { code: "session_unknown", [config.errorMessageKey]: "Session is unknown" },
  };
}

/** Throws what is a refusal, and gives what is none. */
export function unwrap<T>(value: T | JwtError): T {
  return value instanceof JwtError ? raise(value) : value;
}
