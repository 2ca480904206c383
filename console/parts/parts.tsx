import type { ComponentChildren, TargetedSubmitEvent } from "preact";
import { useId, useState } from "preact/hooks";
import { type Answer, refusalOf, refusedFields } from "../login/ask.ts";

/** A part of a page with its heading. */
export function Card({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

export interface Said {
  readonly text: string;
  readonly isBad?: boolean;
}

/** What is told to people as soon as it is there. Screen readers only hear of places that were there before. */
export function Notice({ text, isBad = false }: Said) {
  return (
    <div class="notice">
      <div role="status">{text && !isBad && <p class="good">{text}</p>}</div>
      <div role="alert">{text && isBad && <p class="bad">{text}</p>}</div>
    </div>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  /** For the password manager of the browser. */
  readonly autocomplete: "username" | "current-password" | "new-password";
  readonly hint?: string;
  readonly refused?: readonly string[];
}

/** A labelled input; one that was refused says so to a screen reader, too. */
export function Field({ label, hint, refused = [], name, autocomplete }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...(hint && { "aria-describedby": `${id}-hint` })}
        {...(refused.includes(name) && { "aria-invalid": "true" })}
        id={id}
        name={name}
        {...(autocomplete === "username" ? ({ type: "text" } as const) : ({ type: "password" } as const))}
        autocomplete={autocomplete}
        autocapitalize="none"
        spellcheck={false}
        required
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface FormProps {
  readonly submit: string;
  readonly send: (fields: Readonly<Record<string, string>>) => Promise<Answer | undefined>;
  /** What is said when it worked. */
  readonly done?: string;
  readonly children: (refused: readonly string[]) => ComponentChildren;
  readonly beside?: ComponentChildren;
}

/** A form that sends itself once at a time and says what came of it. */
export function Form({ submit, send, done = "", children, beside }: FormProps) {
  const [answer, setAnswer] = useState<Answer>();
  const [isBusy, setBusy] = useState(false);
  const onSubmit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    const form = event.currentTarget;
    const fields = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    setBusy(true);
    const came = await send(fields);
    setBusy(false);
    setAnswer(came);
    if (came?.ok) form.reset();
  };
  return (
    <form onSubmit={onSubmit}>
      {children(answer ? refusedFields(answer) : [])}
      <Notice text={answer ? (answer.ok ? done : refusalOf(answer)) : ""} isBad={answer?.ok === false} />
      <div class="buttons">
        <button type="submit" class="main" aria-disabled={isBusy}>
          {submit}
        </button>
        {beside}
      </div>
    </form>
  );
}
