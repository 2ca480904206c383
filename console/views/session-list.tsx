import { Moment } from "../parts/time.tsx";

/** One login, as `/sessions` and `/admin/users/:id/sessions` tell. Times are Unix milliseconds. */
export interface Session {
  readonly sessionId: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** The client's own words. */
  readonly userAgent?: string;
  /** A keyed hash. */
  readonly address?: string;
  readonly current: boolean;
}

interface SessionListProps {
  readonly sessions: readonly Session[];
  readonly end: (session: Session) => void;
}

/** Sessions, the newest first, each with a button that ends it. */
export function SessionList({ sessions, end }: SessionListProps) {
  const sorted = [...sessions].sort((one, other) => other.createdAt - one.createdAt);
  return (
    <ul class="rows">
      {sorted.map((session) => (
        <li key={session.sessionId} class="session">
          <div>
            <p class="foreign">
              <bdi>{session.userAgent || "a client that does not say what it is"}</bdi>
            </p>
            <p class="hint">
              since <Moment at={session.createdAt} />, used <Moment at={session.lastUsedAt} />
              {session.address && (
                <>
                  , from <code>{session.address.slice(0, 8)}</code>
                </>
              )}
            </p>
          </div>
          {session.current && <span class="chip">this one</span>}
          <button
            type="button"
            class="danger"
            aria-label={`End the session of ${session.userAgent || "an unknown client"}`}
            onClick={() => end(session)}
          >
            End
          </button>
        </li>
      ))}
    </ul>
  );
}
