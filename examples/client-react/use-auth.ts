import { createAuthFetch } from "jwt-extended/client";
import { useSyncExternalStore } from "react";

/** Who is signed in: `undefined` while nobody knows, `null` for nobody. */
export type User = { readonly id: string } | null | undefined;

interface Auth {
  readonly user: User;
  /** Answers the question for the password, while one is open. */
  readonly answer: ((password: string | null) => void) | undefined;
  readonly notice: string;
}

let auth: Auth = { user: undefined, answer: undefined, notice: "" };
const listeners = new Set<() => void>();

export function setAuth(change: Partial<Auth>): void {
  auth = { ...auth, ...change };
  for (const listener of listeners) listener();
}

/** One for the whole page, made once: not in a component. */
export const authFetch = createAuthFetch({
  onSignIn: loadUser,
  onSignOut: (reason) =>
    setAuth({ user: null, notice: reason === "logout" ? "Signed out." : `Please sign in again (${reason}).` }),
  onStepUp: async () => {
    const password = await new Promise<string | null>((answer) => setAuth({ answer }));
    setAuth({ answer: undefined });
    return password !== null && signIn(auth.user?.id ?? "", password);
  },
});

/** Who is signed in, in this tab or another. */
export async function loadUser(): Promise<void> {
  const answer = await authFetch("/me");
  if (answer.ok) setAuth({ user: (await answer.json()) as User });
  else if (answer.status === 401) setAuth({ user: null });
  else setAuth({ notice: `Not now (${answer.status}).` });
}

export async function signIn(username: string, password: string): Promise<boolean> {
  const headers = { "Content-Type": "application/json" };
  const answer = await authFetch("/login", { method: "POST", headers, body: JSON.stringify({ username, password }) });
  const body = await answer.json();
  setAuth({ notice: answer.ok ? "" : body.msg });
  if (answer.ok) await authFetch.signedIn(body);
  return answer.ok;
}

/** The login, as all components of the page see it. */
export function useAuth(): Auth {
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return useSyncExternalStore(subscribe, () => auth);
}
