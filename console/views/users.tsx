import { useState } from "preact/hooks";
import { useLogin } from "../login/login.ts";
import { type Loaded, useLoaded } from "../parts/loaded.ts";
import { Card, Notice } from "../parts/parts.tsx";
import { Moment } from "../parts/time.tsx";
import { type Session, SessionList } from "./session-list.tsx";

/** One user, as `/admin/users` tells. `createdAt` in Unix milliseconds. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly createdAt: number;
}

export interface UserPage {
  readonly users: readonly User[];
  readonly next: string | null;
}

const PAGE = 25;

/** All users, page by page. */
export function UsersView() {
  const [after, setAfter] = useState<readonly string[]>([]);
  const from = after.at(-1);
  const page = useLoaded<UserPage>(
    `/admin/users?limit=${PAGE}${from === undefined ? "" : `&after=${encodeURIComponent(from)}`}`,
  );
  const next = page.data?.next;
  return (
    <Card title="Everybody who has an account">
      <p>New roles, and disabling, end all sessions of a user.</p>
      <Notice {...page.said} />
      <ul class="rows">
        {page.data?.users.map((user) => (
          <UserRow user={user} change={page.change} key={user.id} />
        ))}
      </ul>
      {(from !== undefined || next) && (
        <div class="buttons">
          {from !== undefined && (
            <button type="button" onClick={() => setAfter(after.slice(0, -1))}>
              Page before
            </button>
          )}
          {next && (
            <button type="button" onClick={() => setAfter([...after, next])}>
              Next page
            </button>
          )}
        </div>
      )}
    </Card>
  );
}

interface UserRowProps {
  readonly user: User;
  readonly change: Loaded<unknown>["change"];
}

function UserRow({ user, change }: UserRowProps) {
  const { person } = useLogin();
  const [isOpen, setOpen] = useState(false);
  const { id, name, roles, disabled, createdAt } = user;
  const isSelf = person?.id === id;
  return (
    <li class="user">
      <div>
        <p>
          <strong>
            <bdi>{name}</bdi>
          </strong>
          {roles.map((role) => (
            <span class="chip" key={role}>
              {role}
            </span>
          ))}
          {disabled && <span class="chip bad">disabled</span>}
          {isSelf && <span class="chip">you</span>}
        </p>
        <p class="hint">
          since <Moment at={createdAt} />
        </p>
      </div>
      <div class="buttons">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-label={`Sessions of ${name}`}
          onClick={() => setOpen(!isOpen)}
        >
          Sessions
        </button>
        {!isSelf && (
          <button
            type="button"
            class={disabled ? "" : "danger"}
            aria-label={`${disabled ? "Enable" : "Disable"} ${name}`}
            onClick={() =>
              void change(
                `/admin/users/${id}/${disabled ? "enable" : "disable"}`,
                "POST",
                `${name} is ${disabled ? "enabled" : "disabled"}.`,
              )
            }
          >
            {disabled ? "Enable" : "Disable"}
          </button>
        )}
      </div>
      {!isSelf && <RolesForm user={user} change={change} />}
      {isOpen && <UserSessions user={user} />}
    </li>
  );
}

function RolesForm({ user, change }: UserRowProps) {
  const [text, setText] = useState(user.roles.join(" "));
  const set = (): void =>
    void change(`/admin/users/${user.id}/roles`, "POST", `The roles of ${user.name} are set.`, {
      roles: text.match(/\S+/g) ?? [],
    });
  return (
    <form
      class="roles"
      onSubmit={(event) => {
        event.preventDefault();
        set();
      }}
    >
      <label>
        Roles of {user.name}
        <input
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          autocapitalize="none"
          spellcheck={false}
        />
      </label>
      <button type="submit" aria-label={`Set the roles of ${user.name}`}>
        Set
      </button>
    </form>
  );
}

function UserSessions({ user: { id, name } }: { readonly user: User }) {
  const path = `/admin/users/${id}/sessions`;
  const { data, said, change } = useLoaded<{ readonly sessions: readonly Session[] }>(path);
  const count = data?.sessions.length;
  return (
    <div class="inside">
      <Notice {...said} />
      {count === 0 && <p>No session.</p>}
      {data && (
        <SessionList
          sessions={data.sessions}
          end={({ sessionId }) => void change(`${path}/${sessionId}`, "DELETE", "The session is ended.")}
        />
      )}
      {count ? (
        <button
          type="button"
          class="danger"
          aria-label={`End all sessions of ${name}`}
          onClick={() => void change(path, "DELETE", `All sessions of ${name} are ended.`)}
        >
          End all
        </button>
      ) : null}
    </div>
  );
}
