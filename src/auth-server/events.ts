import type { User } from "../accounts/users.ts";
import type { NodeJwt } from "../adapters/node.ts";
import { NodeRequest } from "../adapters/node-request.ts";
import { RevokedTokenError, raise } from "../errors.ts";
import { revocationQuery } from "../sessions/query.ts";
import type { AnyClaims, AuthContext, GuardedRequest } from "../types.ts";
import type { AuditFeed } from "./audit-feed.ts";
import type { Row } from "./handler.ts";
import { isAdministrator, type Manager } from "./manager.ts";
import type { SessionWatch } from "./session-watch.ts";
import type { Stream, Streams } from "./streams.ts";

/** Milliseconds between two looks at the token, the session and the role of an administrator who follows the trail. */
const CHECK_EVERY = 10_000;

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
  const all = jwtRequired(wanted, (req, res, auth) => {
    const stops: (() => void)[] = [];
    const stream: Stream = streams.open(res, auth.identity, () => {
      for (const stop of stops) stop();
    });
    const request = new NodeRequest(req, undefined, req, 0);
    // Anything that would keep this request out now ends it, a store that does not answer included.
    const timer = setInterval(() => manager.verifyRequest(request, wanted).catch(() => stream.close()), CHECK_EVERY);
    stops.push(
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
