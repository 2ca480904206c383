import type { LoginAnswer, StepUp } from "../../client/index.ts";
import { type Answer, ask } from "./ask.ts";
import { alone, authFetch, currentMode, hasCookieLogin, makeClients, type ServerSettings } from "./client.ts";
import { createStore, useStore } from "./store.ts";

/** Who is signed in, as `/me` tells. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly sessionId: string;
}

/** The state of the page. */
export interface Login {
  readonly phase: "starting" | "unreachable" | "out" | "in";
  readonly person: Person | undefined;
  /** Why nobody is signed in any more. */
  readonly notice: string;
  /** Grows when there are other tokens. */
  readonly version: number;
  /** A route wants the password again: whether there is a fresh login now. */
  readonly question: ((isFresh: boolean) => void) | undefined;
  readonly registration: boolean;
  /** From the link that the server printed: who opens it makes the first administrator. */
  readonly setup: string | undefined;
}

const login = createStore<Login>({
  phase: "starting",
  person: undefined,
  notice: "",
  version: 0,
  question: undefined,
  registration: true,
  setup: undefined,
});

export const useLogin = (): Login => useStore(login);
export const followLogin = login.follow;

const NOTICES: Readonly<Record<string, string>> = {
  logout: "You are signed out.",
  session_ended: "Your session was ended elsewhere.",
  session_unknown: "Your session was ended elsewhere.",
  token_revoked: "Your session was ended elsewhere.",
  token_reused: "A used token of your login came again, perhaps from a thief: your session was ended.",
};

/** Reads what the server is like, and who is signed in. */
export async function start(): Promise<void> {
  login.set({ phase: "starting" });
  let settings: ServerSettings;
  try {
    settings = await (await fetch("/config.json")).json();
  } catch {
    login.set({ phase: "unreachable" });
    return;
  }
  makeClients(settings, { onSignIn: () => void load(), onRefresh, onSignOut, onStepUp });
  login.set({ registration: settings.registration });
  if (hasCookieLogin()) await load();
  else login.set({ phase: "out" });
}

/** Takes the token of a set-up link, now and later. It leaves the address bar, and with it the history, at once. */
export function hearSetupLinks(): void {
  const take = (): void => {
    const [, token] = /^#setup=([\w-]+)$/.exec(location.hash) ?? [];
    if (!token) return;
    history.replaceState(null, "", location.pathname);
    login.set({ setup: token });
  };
  take();
  addEventListener("hashchange", take);
}

let turns = 0;

async function load(): Promise<Answer> {
  const turn = ++turns;
  const answer = await ask<Person>("/me");
  if (turn !== turns) return answer;
  if (answer.ok) login.set({ phase: "in", person: answer.body, notice: "", version: login.get().version + 1 });
  else if (answer.status === 401) onSignOut(undefined);
  else if (login.get().phase !== "in") login.set({ phase: "unreachable" });
  return answer;
}

function onRefresh(): void {
  login.set({ version: login.get().version + 1 });
}

function onSignOut(reason: string | undefined): void {
  turns++;
  const { phase, question } = login.get();
  question?.(false);
  const notice = phase === "in" ? (NOTICES[reason ?? ""] ?? "Your login is over.") : login.get().notice;
  login.set({ phase: "out", person: undefined, question: undefined, notice });
}

function onStepUp({ code }: StepUp): Promise<boolean> | false {
  if (code !== "token_not_fresh" || !login.get().person) return false;
  return new Promise((done) => login.set({ question: done }));
}

/** Answers the question for the password; nothing means no. The login from before is ended, so that it does not lie about. */
export async function confirm(password: string | undefined): Promise<Answer | undefined> {
  const { question, person } = login.get();
  if (!question || !person) return undefined;
  const answer = password === undefined ? undefined : await enter("/login", { username: person.name, password });
  if (answer && !answer.ok) return answer;
  login.set({ question: undefined });
  question(answer !== undefined);
  if (answer) await ask(`/sessions/${person.sessionId}`, "DELETE");
  return answer;
}

export type Entrance = "/login" | "/register" | "/setup";

/** Signs in through one of the routes that give tokens; in cookie mode no script sees them. */
export async function enter(path: Entrance, fields: Readonly<Record<string, string>>): Promise<Answer> {
  const via = currentMode() === "bearer" ? "body" : "cookies";
  const answer = await ask(path, "POST", { ...fields, via });
  if (answer.ok && path === "/setup") leaveSetup();
  return tokensOf(answer);
}

async function tokensOf(answer: Answer): Promise<Answer> {
  if (answer.ok) await authFetch().signedIn(answer.body as LoginAnswer);
  return answer;
}

/** No tab may look at a login while one of them replaces or ends it. */
const LOCK = "console-login";
/** Milliseconds for which the lock is kept afterwards, so that whoever gets it next has heard the news. */
const HOLD_MS = 100;

const replacing = <T>(work: () => Promise<T>): Promise<T> =>
  alone(LOCK, async () => {
    const result = await work();
    await new Promise((done) => setTimeout(done, HOLD_MS));
    return result;
  });

/** Changes the password: the server ends all sessions, and this browser goes on with a new one. */
export const changePassword = (currentPassword: string, newPassword: string): Promise<Answer> =>
  replacing(async () => tokensOf(await ask("/password", "POST", { currentPassword, newPassword })));

/** Looks whether the login still lives; where it does not, every tab hears of it. */
export const check = (): Promise<void> =>
  alone(LOCK, async () => {
    if (login.get().phase !== "in") return;
    const { status } = await load();
    // Where no cookie is left the client has nothing to renew, and says nothing to the other tabs.
    if (status === 401) await authFetch().logout();
  });

/** Signs out in every tab. Gives what the server says where it refuses. */
export async function signOut(): Promise<string> {
  try {
    const answer = await replacing(() => authFetch().logout());
    return answer.ok || answer.status === 401 ? "" : `The server answered ${answer.status}: you are still signed in.`;
  } catch {
    return "The server gives no answer: you are still signed in.";
  }
}

/** Goes to the form for signing in, from the one for the first administrator. */
export function leaveSetup(): void {
  login.set({ setup: undefined });
}
