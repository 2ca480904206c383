import { type FormEvent, useEffect, useRef } from "react";
import { createRoot } from "react-dom/client";
import { authFetch, loadUser, setAuth, signIn, useAuth } from "./use-auth.ts";

function Login() {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn(String(form.get("username")), String(form.get("password")));
  };
  return (
    <form onSubmit={submit}>
      <label>
        User <input name="username" autoComplete="username" required />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit">Sign in</button>
    </form>
  );
}

function Account({ name }: { name: string }) {
  const act = async (path: string, method: string): Promise<void> => {
    const answer = await authFetch(path, { method });
    setAuth({ notice: `${method} ${path}: ${answer.status} ${await answer.text()}` });
  };
  return (
    <section>
      <p>
        You are <strong>{name}</strong>.
      </p>
      <button type="button" onClick={() => act("/transfer", "POST")}>
        Send 10
      </button>
      <button type="button" onClick={() => act("/account", "DELETE")}>
        Close the account
      </button>
      <button type="button" onClick={() => authFetch.logout()}>
        Sign out
      </button>
    </section>
  );
}

/** A route wants a login that is fresher. */
function AskAgain({ answer }: { answer: (password: string | null) => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    answer(String(new FormData(event.currentTarget).get("password")));
  };
  return (
    <dialog ref={dialog} onCancel={() => answer(null)}>
      <form onSubmit={submit}>
        <p>This needs your password again.</p>
        <label>
          Your password <input name="password" type="password" autoComplete="current-password" />
        </label>
        <button type="submit">Confirm</button>
        <button type="button" onClick={() => answer(null)}>
          Cancel
        </button>
      </form>
    </dialog>
  );
}

function App() {
  const { user, answer, notice } = useAuth();
  useEffect(() => void loadUser(), []);
  return (
    <>
      <h1>A page that stays logged in</h1>
      {user === null && <Login />}
      {user && <Account name={user.id} />}
      {answer && <AskAgain answer={answer} />}
      <p role="status">{notice}</p>
    </>
  );
}

const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
