import { useEffect, useRef } from "preact/hooks";
import { confirm, useLogin } from "../login/login.ts";
import { Field, Form } from "../parts/parts.tsx";

/** A route wants a fresh login: asks for the password again. */
export function StepUpDialog() {
  const { question } = useLogin();
  return question ? <Dialog /> : null;
}

function Dialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="step-up" onCancel={() => void confirm(undefined)}>
      <h2 id="step-up">Your password again</h2>
      <p>This route takes a login that is fresh.</p>
      <Form
        submit="Confirm"
        send={({ password = "" }) => confirm(password)}
        beside={
          <button type="button" onClick={() => void confirm(undefined)}>
            Cancel
          </button>
        }
      >
        {() => <Field name="password" label="Password" autocomplete="current-password" />}
      </Form>
    </dialog>
  );
}
