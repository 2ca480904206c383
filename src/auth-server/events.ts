import type { User } from "../accounts/users.ts";
import type { NodeJwt } from "../adapters/node.ts";
import { NodeRequest } from "../adapters/node-request.ts";
import { AccountError, RevokedTokenError, raise } from "../errors.ts";
import { revocationQuery } from "../sessions/query.ts";
import type { AnyClaims, AuthContext, GuardedRequest } from "../types.ts";
import type { AuditFeed } from "./audit-feed.ts";
import type { Row } from "./handler.ts";
import { isAdministrator, type Manager } from "./manager.ts";
import type { SessionWatch } from "./session-watch.ts";
import type { Stream, Streams } from "./streams.ts";

/** Milliseconds between two looks at the token, the session and the role of an administrator who follows the trail. */
const CHECK_EVERY = 10_000;
/** Streams of the audit trail that one session may have. */
const TRAILS_OF_SESSION = 2;

type Auth = AuthContext<User, AnyClaims>;

/** What the streams are made of. */
export interface EventSources {
  readonly streams: Streams;
  readonly sessions: SessionWatch;
  readonly audit: AuditFeed;
}

/** The streams of server-sent events: the end of the own session, and for administrators the audit trail. */
export function eventRows(
  manager: Manager,
  { jwtRequired }: NodeJwt<User, AnyClaims>,
  sources: EventSources,
): readonly Row[] {
  const { streams, sessions, audit } = sources;
  /** The session alone: that a token expires, or is exchanged for the next, does not end it. */
  const sessionOf = ({ claims, header }: Auth) => ({
    ...revocationQuery(header, claims, manager.config),
    jti: undefined,
  });

  const own = jwtRequired({ verify: isOwnPage }, (_req, res, auth) => {
    const { sessionId } = auth;
    if (sessionId === undefined) return raise(new RevokedTokenError("session_required"));
    const ended = (): void => {
      stream.send("session", { state: "ended" });
      stream.close();
    };
    let unwatch = (): void => {};
    // Nobody revokes what comes to its natural end: that is seen by asking.
    const isLive = async (): Promise<void> => {
      const session = await manager.getSession(sessionId).catch(() => true);
      if (session === undefined) ended();
    };
    const stream = streams.open(res, auth.identity, () => unwatch(), isLive);
    unwatch = sessions.watch(sessionOf(auth), ended);
  });

  const wanted = {
    roles: "admin",
    verify: (auth: Auth, request: GuardedRequest) => isAdministrator(auth) && isOwnPage(auth, request),
  };
  const following = new Map<string, number>();
  const all = jwtRequired(wanted, (req, res, auth) => {
    const { sessionId } = auth;
    if (sessionId === undefined) return raise(new RevokedTokenError("session_required"));
    const others = (): number => following.get(sessionId) ?? 0;
    if (others() >= TRAILS_OF_SESSION) {
      const message = "This login follows the trail often enough already: close another stream";
      return raise(new AccountError("too_busy", { message, retryAfter: 5 }));
    }
    const stops: (() => void)[] = [];
    const stream: Stream = streams.open(res, auth.identity, () => {
      for (const stop of stops) stop();
    });
    following.set(sessionId, others() + 1);
    const leave = (): void => {
      if (others() > 1) following.set(sessionId, others() - 1);
      else following.delete(sessionId);
    };
    const request = new NodeRequest(req, req, 0);
    // Anything that would keep this request out now ends it, a store that does not answer included.
    const timer = setInterval(() => manager.verifyRequest(request, wanted).catch(() => stream.close()), CHECK_EVERY);
    stops.push(
      leave,
      () => clearInterval(timer),
      audit.listen((entry) => stream.send("audit", entry)),
      sessions.watch(sessionOf(auth), () => stream.close()),
    );
  });
  return [
    { method: "GET", path: "/events", run: own },
    { method: "GET", path: "/admin/events", run: all },
  ];
}

/** Pages of other sites neither read a stream nor take up a place of it. */
function isOwnPage(_auth: unknown, request: GuardedRequest): boolean {
  const [site = "none"] = request.header("sec-fetch-site");
  return site === "same-origin" || site === "none";
}
