import { useEffect, useRef, useState } from "preact/hooks";
import { signOut, start, useLogin } from "./login/login.ts";
import { Notice } from "./parts/parts.tsx";
import { ActivityView } from "./views/activity.tsx";
import { PasswordView } from "./views/password.tsx";
import { SessionsView } from "./views/sessions.tsx";
import { SignIn } from "./views/sign-in.tsx";
import { StepUpDialog } from "./views/step-up.tsx";
import { TokenView } from "./views/token.tsx";
import { UsersView } from "./views/users.tsx";

const VIEWS = [
  { hash: "#token", label: "Token", View: TokenView },
  { hash: "#sessions", label: "Sessions", View: SessionsView },
  { hash: "#password", label: "Password", View: PasswordView },
  { hash: "#users", label: "Users", View: UsersView, role: "admin" },
  { hash: "#activity", label: "Activity", View: ActivityView, role: "admin" },
] as const;

export function App() {
  const { phase, person, notice } = useLogin();
  if (phase === "starting") return <p class="card starting">Loading…</p>;
  if (phase === "unreachable")
    return (
      <main class="narrow card">
        <h1>jwt-extended console</h1>
        <Notice text="The server gives no answer." isBad />
        <button type="button" class="main" onClick={() => void start()}>
          Try again
        </button>
      </main>
    );
  return person ? <Frame name={person.name} roles={person.roles} key={person.id} /> : <SignIn notice={notice} />;
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const hear = (): void => setHash(location.hash);
    addEventListener("hashchange", hear);
    return () => removeEventListener("hashchange", hear);
  }, []);
  return hash;
}

function Frame({ name, roles }: { readonly name: string; readonly roles: readonly string[] }) {
  const hash = useHash();
  const [refusal, setRefusal] = useState("");
  const views = VIEWS.filter((view) => !("role" in view) || roles.includes(view.role));
  const { View, label, hash: shown } = views.find((view) => view.hash === hash) ?? VIEWS[0];
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another view is read from its heading on
  useEffect(() => {
    heading.current?.focus();
    document.title = `${label} · jwt-extended console`;
  }, [shown]);
  return (
    <>
      <header>
        <p class="brand">jwt-extended console</p>
        <p class="who">
          <bdi>{name}</bdi>
          {roles.map((role) => (
            <span class="chip" key={role}>
              {role}
            </span>
          ))}
        </p>
        <button type="button" onClick={async () => setRefusal(await signOut())}>
          Sign out
        </button>
      </header>
      <nav aria-label="Views">
        {views.map((view) => (
          <a href={view.hash} key={view.hash} {...(view.hash === shown && { "aria-current": "page" })}>
            {view.label}
          </a>
        ))}
      </nav>
      <main>
        <h1 ref={heading} tabIndex={-1}>
          {label}
        </h1>
        <Notice text={refusal} isBad />
        <View />
      </main>
      <StepUpDialog />
    </>
  );
}
