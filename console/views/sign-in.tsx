import { useEffect, useRef, useState } from "preact/hooks";
import { chooseMode, currentMode, type Mode } from "../login/client.ts";
import { type Entrance, enter, leaveSetup, useLogin } from "../login/login.ts";
import { Field, Form, Notice } from "../parts/parts.tsx";

const TEXTS: Readonly<Record<Entrance, { readonly title: string; readonly submit: string }>> = {
  "/login": { title: "Sign in", submit: "Sign in" },
  "/register": { title: "Register", submit: "Register" },
  "/setup": { title: "Make the first administrator", submit: "Make the administrator" },
};

/** Sign in, register, and make the first administrator. */
export function SignIn({ notice }: { readonly notice: string }) {
  const { setup, registration } = useLogin();
  const [isNew, setNew] = useState(false);
  const path = setup ? "/setup" : isNew ? "/register" : "/login";
  const { title, submit } = TEXTS[path];
  const form = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each form begins at its first field
  useEffect(() => {
    form.current?.querySelector<HTMLInputElement>("input[name=username]")?.focus();
    document.title = `${title} · jwt-extended console`;
  }, [path]);
  const other = setup ? "Sign in instead" : isNew ? "I have an account" : "Register instead";
  return (
    <main class="narrow">
      <p class="brand">jwt-extended console</p>
      <div class="card" ref={form}>
        <h1>{title}</h1>
        <Notice text={notice} />
        <Form
          key={path}
          submit={submit}
          send={(fields) => enter(path, { ...fields, ...(setup && { token: setup }) })}
          beside={
            (setup || registration) && (
              <button type="button" class="link" onClick={() => (setup ? leaveSetup() : setNew(!isNew))}>
                {other}
              </button>
            )
          }
        >
          {(refused) => (
            <>
              <Field name="username" label="Username" autocomplete="username" refused={refused} />
              <Field
                name="password"
                label="Password"
                autocomplete={path === "/login" ? "current-password" : "new-password"}
                refused={refused}
                {...(path !== "/login" && { hint: "At least 8 characters, and not one that is guessed first." })}
              />
            </>
          )}
        </Form>
        <ModeChoice />
      </div>
    </main>
  );
}

const MODES: readonly (readonly [Mode, string])[] = [
  ["cookie", "In cookies, which no script can read"],
  ["bearer", "In the memory of this page; gone when it is loaded anew"],
];

function ModeChoice() {
  const [mode, setMode] = useState(currentMode());
  const choose = (wanted: Mode): void => {
    chooseMode(wanted);
    setMode(wanted);
  };
  return (
    <fieldset>
      <legend>Where the tokens are kept</legend>
      {MODES.map(([value, label]) => (
        <label class="choice" key={value}>
          <input type="radio" name="mode" checked={mode === value} onChange={() => choose(value)} />
          {label}
        </label>
      ))}
    </fieldset>
  );
}
