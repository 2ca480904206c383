import { signOut, useLogin } from "../login/login.ts";
import { useLoaded } from "../parts/loaded.ts";
import { Card, Notice } from "../parts/parts.tsx";
import { type Session, SessionList } from "./session-list.tsx";

/** The own sessions. */
export function SessionsView() {
  const { version } = useLogin();
  const { data, said, reload, change } = useLoaded<{ readonly sessions: readonly Session[] }>("/sessions", version);
  const end = ({ sessionId, current }: Session): void =>
    void (current ? signOut() : change(`/sessions/${sessionId}`, "DELETE", "The session is ended."));
  return (
    <Card title="Where you are signed in">
      <p>A session that is ended here is signed out within a second, wherever it is.</p>
      <Notice {...said} />
      {data && <SessionList sessions={data.sessions} end={end} />}
      <div class="buttons">
        <button
          type="button"
          class="danger"
          onClick={() => void change("/logout-others", "POST", "The other sessions are ended.")}
        >
          End the others
        </button>
        <button type="button" onClick={() => void reload()}>
          Look again
        </button>
      </div>
    </Card>
  );
}
